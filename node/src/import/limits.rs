//! How much one file may ask of a node; every loop and buffer of the import stops at one of these.

/// Bytes of one file, as uploaded and as unpacked.
pub const FILE_BYTES: u64 = 8 << 30;
/// Rows below the header.
pub const ROWS_MAX: u64 = 20_000_000;
/// Bytes of one row, its line breaks and quotes aside.
pub const RECORD_BYTES: usize = 1 << 20;
/// Bytes of one value.
pub const FIELD_BYTES: usize = 64 << 10;
/// Columns of one row.
pub const COLUMNS_MAX: usize = 2_000;
/// Bytes from which encoding, kind and separator are told.
pub const PREFIX_BYTES: usize = 64 << 10;
/// Entries of an archive; an export has one.
pub const ARCHIVE_ENTRIES_MAX: usize = 64;
/// How many times its packed size an archive entry may unpack to, once past [`RATIO_FREE_BYTES`].
pub const RATIO_MAX: u64 = 200;
/// Bytes that may unpack at any ratio: a small file of equal rows packs very well.
pub const RATIO_FREE_BYTES: u64 = 16 << 20;
/// Bytes that all parts of a workbook may unpack to, because its texts are held in memory.
pub const WORKBOOK_BYTES: u64 = 256 << 20;
/// Entries of a workbook's archive.
pub const WORKBOOK_ENTRIES_MAX: usize = 4_096;
/// Rows of a worksheet, as the format has them.
pub const SHEET_ROWS_MAX: u32 = 1 << 20;
/// Bytes between two reports of progress.
pub const PROGRESS_BYTES: u64 = 1 << 20;
/// Tags of one person.
pub const TAGS_MAX: usize = 1_000;
