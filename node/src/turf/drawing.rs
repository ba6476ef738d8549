//! Reads boundaries from files: GeoJSON, and zipped shapefiles.

use super::boundary::{Boundary, NoBoundary};
use geojson::{GeoJson, Geometry, GeometryValue};
use shapefile::{Shape, ShapeReader};
use std::io::{Cursor, Read};

/// The largest file that is read, in bytes, also when it is unpacked.
pub const DRAWING_BYTES: usize = 32 * 1024 * 1024;
/// The most files of an archive.
const ENTRIES: usize = 100;

/// Polygons as rings of longitude and latitude.
type Polygons = Vec<Vec<Vec<(f64, f64)>>>;

/// Why a file holds no boundary.
#[derive(Debug, thiserror::Error)]
pub enum NoDrawing {
    /// Neither a zip archive nor JSON.
    #[error("the file is no GeoJSON ({0}) and no zip archive of a shapefile")]
    Kind(String),
    /// A zip archive that cannot be read, or holds something else.
    #[error("the archive {0}")]
    Archive(&'static str),
    /// The shapefile is damaged or of another kind.
    #[error("the shapefile cannot be read: {0}")]
    Shapefile(String),
    /// A line, a point or the like.
    #[error("the file holds a {0}, which has no inside; draw a polygon")]
    NoInside(&'static str),
    /// What is drawn cannot be used.
    #[error("the boundary cannot be used: {0}")]
    Boundary(#[from] NoBoundary),
}

/// The boundary that a file draws: all its polygons together.
///
/// # Errors
/// [`NoDrawing`].
pub fn read(bytes: &[u8]) -> Result<Boundary, NoDrawing> {
    let polygons = if bytes.starts_with(b"PK") {
        of_shapefile(&unpacked(bytes)?)?
    } else {
        of_geojson(bytes)?
    };
    Ok(Boundary::new(polygons)?)
}

fn of_geojson(bytes: &[u8]) -> Result<Polygons, NoDrawing> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let json: GeoJson =
        serde_json::from_slice(bytes).map_err(|error| NoDrawing::Kind(error.to_string()))?;
    let geometries: Vec<Geometry> = match json {
        GeoJson::Geometry(geometry) => vec![geometry],
        GeoJson::Feature(feature) => feature.geometry.into_iter().collect(),
        GeoJson::FeatureCollection(all) => {
            let features = all.features.into_iter();
            features.filter_map(|feature| feature.geometry).collect()
        }
    };
    let mut polygons = Polygons::new();
    let mut waiting = geometries;
    while let Some(geometry) = waiting.pop() {
        match geometry.value {
            GeometryValue::Polygon { coordinates } => polygons.push(rings(&coordinates)?),
            GeometryValue::MultiPolygon { coordinates } => {
                for polygon in &coordinates {
                    polygons.push(rings(polygon)?);
                }
            }
            GeometryValue::GeometryCollection { geometries } => waiting.extend(geometries),
            GeometryValue::Point { .. } | GeometryValue::MultiPoint { .. } => {
                return Err(NoDrawing::NoInside("point"));
            }
            GeometryValue::LineString { .. } | GeometryValue::MultiLineString { .. } => {
                return Err(NoDrawing::NoInside("line"));
            }
        }
    }
    Ok(polygons)
}

fn rings(polygon: &[Vec<geojson::Position>]) -> Result<Vec<Vec<(f64, f64)>>, NoDrawing> {
    let point = |position: &geojson::Position| match position.as_slice() {
        [longitude, latitude, ..] => Ok((*longitude, *latitude)),
        _ => Err(NoDrawing::Boundary(NoBoundary::NotDegrees)),
    };
    let ring = |ring: &Vec<geojson::Position>| ring.iter().map(point).collect();
    polygon.iter().map(ring).collect()
}

fn of_shapefile(bytes: &[u8]) -> Result<Polygons, NoDrawing> {
    let damaged = |error: shapefile::Error| NoDrawing::Shapefile(error.to_string());
    let mut reader = ShapeReader::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut polygons = Polygons::new();
    for shape in reader.iter_shapes() {
        let polygon = match shape.map_err(damaged)? {
            Shape::Polygon(polygon) => rings_of(polygon.rings(), |point| (point.x, point.y)),
            Shape::PolygonM(polygon) => rings_of(polygon.rings(), |point| (point.x, point.y)),
            Shape::PolygonZ(polygon) => rings_of(polygon.rings(), |point| (point.x, point.y)),
            Shape::NullShape => continue,
            Shape::Polyline(_) | Shape::PolylineM(_) | Shape::PolylineZ(_) => {
                return Err(NoDrawing::NoInside("line"));
            }
            _ => return Err(NoDrawing::NoInside("point")),
        };
        polygons.push(polygon);
    }
    Ok(polygons)
}

fn rings_of<P>(
    rings: &[shapefile::PolygonRing<P>],
    point: impl Fn(&P) -> (f64, f64) + Copy,
) -> Vec<Vec<(f64, f64)>> {
    let ring = |ring: &shapefile::PolygonRing<P>| ring.points().iter().map(point).collect();
    rings.iter().map(ring).collect()
}

/// The one `.shp` file of an archive.
fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, NoDrawing> {
    let damaged = |_| NoDrawing::Archive("is damaged or not whole");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.len() > ENTRIES {
        return Err(NoDrawing::Archive("holds too many files"));
    }
    let is_shape = |name: &String| {
        let hidden = name.starts_with("__MACOSX/");
        !hidden && name.to_ascii_lowercase().ends_with(".shp")
    };
    let names = archive.file_names().filter_map(Result::ok);
    let names: Vec<String> = names.map(Into::into).filter(is_shape).collect();
    let [name] = names.as_slice() else {
        return Err(NoDrawing::Archive(if names.is_empty() {
            "holds no .shp file"
        } else {
            "holds several .shp files; keep the one that is meant"
        }));
    };
    let entry = archive.by_name(name).map_err(damaged)?;
    let mut unpacked = Vec::new();
    let most = DRAWING_BYTES as u64;
    entry
        .take(most + 1)
        .read_to_end(&mut unpacked)
        .map_err(|_| NoDrawing::Archive("is damaged or not whole"))?;
    if unpacked.len() > DRAWING_BYTES {
        return Err(NoDrawing::Archive("holds a shapefile that is too large"));
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn said(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn features_collections_and_bare_polygons_are_read() {
        let polygon = r#"{"type":"Polygon","coordinates":[[[-75,40],[-74,40],[-74,41],[-75,40]]]}"#;
        let feature = format!(r#"{{"type":"Feature","properties":{{}},"geometry":{polygon}}}"#);
        let collection = format!(r#"{{"type":"FeatureCollection","features":[{feature}]}}"#);
        let boundary = read(polygon.as_bytes()).unwrap();
        assert_eq!(read(feature.as_bytes()).unwrap(), boundary);
        assert_eq!(
            read(format!("\u{feff}{collection}").as_bytes()).unwrap(),
            boundary
        );
    }

    #[test]
    fn what_is_no_area_is_refused_with_the_reason() {
        let line = r#"{"type":"LineString","coordinates":[[-75,40],[-74,40]]}"#;
        assert!(said(line).contains("a line"), "{}", said(line));
        let short = r#"{"type":"Polygon","coordinates":[[[-75],[-74,40],[-74,41]]]}"#;
        assert!(read(short.as_bytes()).is_err());
        assert!(said("name,address").contains("no GeoJSON"));
        assert!(said("PK nonsense").contains("damaged"));
        let none = r#"{"type":"FeatureCollection","features":[]}"#;
        assert!(said(none).contains("no area"));
    }

    #[test]
    fn a_file_of_a_million_points_is_refused_by_the_named_limit() {
        let points = vec!["[-75,40]"; 1_000_000].join(",");
        let text = format!(r#"{{"type":"Polygon","coordinates":[[{points}]]}}"#);
        assert!(said(&text).contains("50000 corners"), "{}", said(&text));
    }

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            let options = zip::write::SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Stored);
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_zipped_shapefile_is_read() {
        use shapefile::{Point, Polygon, PolygonRing, ShapeWriter};
        let corners = [(-75.0, 40.0), (-75.0, 41.0), (-74.0, 41.0), (-75.0, 40.0)];
        let ring = corners.map(|(x, y)| Point::new(x, y)).to_vec();
        let mut shapes = Cursor::new(Vec::new());
        ShapeWriter::new(&mut shapes)
            .write_shapes(&[Polygon::new(PolygonRing::Outer(ring))])
            .unwrap();
        let shapes = shapes.into_inner();
        let boundary = read(&zipped(&[
            ("ward/ward5.SHP", &shapes),
            ("ward/ward5.prj", b""),
        ]));
        let inside = super::super::position::Position::of_degrees(40.9, -74.8).unwrap();
        assert!(boundary.unwrap().contains(inside));
        let half = &shapes[..shapes.len() / 2];
        assert!(read(&zipped(&[("a.shp", half)])).is_err());
        let two = zipped(&[("a.shp", &shapes), ("b.shp", &shapes)]);
        assert!(read(&two).unwrap_err().to_string().contains("several"));
        let none = zipped(&[("a.txt", b"")]);
        assert!(read(&none).unwrap_err().to_string().contains("no .shp"));
    }
}
