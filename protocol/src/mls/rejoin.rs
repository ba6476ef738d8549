//! Coming back with lost or outdated state: an external commit onto one's own old leaf.

use super::{Group, MlsError, MlsKey, Overlay, message, settings};
use crate::id::NodeId;
use openmls::{
    group::MlsGroup,
    prelude::{LeafNodeParameters, MlsMessageBodyIn, OpenMlsProvider},
};

impl Group {
    /// What a member that lost its state needs to come back: the group as it is, signed.
    ///
    /// # Errors
    /// Those of [`Group::seal`].
    pub fn export_group_info(&self, key: &MlsKey) -> Result<Vec<u8>, MlsError> {
        self.check_author(key)?;
        let info = self
            .inner
            .export_group_info(self.overlay.crypto(), key, true)
            .map_err(MlsError::library)?;
        info.to_bytes().map_err(MlsError::library)
    }

    /// Makes an external commit that puts this node back onto its leaf, and the group as it will be
    /// if that commit wins: adopt the group when the very same bytes are read back from the log,
    /// else drop it. The overlay must be an empty one, for the old state is needed until then.
    ///
    /// # Errors
    /// [`MlsError::Malformed`], [`MlsError::GroupExists`] for an overlay that is not empty,
    /// [`MlsError::Leaf`] when the old leaf has another key, [`MlsError::Library`].
    pub fn rejoin(
        overlay: Overlay,
        key: &MlsKey,
        me: NodeId,
        group_info: &[u8],
        aad: &[u8],
    ) -> Result<(Self, Vec<u8>), MlsError> {
        let Some(MlsMessageBodyIn::GroupInfo(info)) = message::read(group_info) else {
            return Err(MlsError::Malformed("group information"));
        };
        if info.ciphersuite() != settings::SUITE {
            return Err(MlsError::Malformed("group information"));
        }
        if MlsGroup::load(overlay.storage(), info.group_id())
            .map_err(MlsError::library)?
            .is_some()
        {
            return Err(MlsError::GroupExists);
        }
        let leaf = LeafNodeParameters::builder()
            .with_capabilities(settings::capabilities())
            .build();
        let (inner, bundle) = MlsGroup::external_commit_builder()
            .with_config(settings::join_config())
            .with_aad(aad.to_vec())
            .skip_lifetime_validation()
            .build_group(&overlay, info, settings::credential(me, key))
            .map_err(MlsError::library)?
            .leaf_node_parameters(leaf)
            .load_psks(overlay.storage())
            .map_err(MlsError::library)?
            .build(overlay.rand(), overlay.crypto(), key, |_| true)
            .map_err(MlsError::library)?
            .finalize(&overlay)
            .map_err(MlsError::library)?;
        let bytes = bundle.into_commit().to_bytes().map_err(MlsError::library)?;
        Ok((Self::begin(overlay, inner)?, bytes))
    }
}
