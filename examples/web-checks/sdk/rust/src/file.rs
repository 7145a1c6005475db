use crate::failure::Failure;
use crate::json::Json;
use std::fs::{self, File};
use std::io::{self, Read};

/// The most bytes of a document.
const DOCUMENT: u64 = 16 << 20;

/// Reads a fact about the machine: the document `/host/NAME`.
pub fn fact(name: &str) -> Result<Json, Failure> {
    let path = format!("/host/{name}");
    let text = read(&path).map_err(|e| Failure::of_file(&path, &e))?;
    Json::parse(&String::from_utf8_lossy(&text)).map_err(|e| Failure::Unknown(format!("{path}: {e}")))
}

/// Reads a value, perhaps a secret, that the operator set for this module: `/env/NAME`.
/// Put no secret into an answer.
pub fn env(name: &str) -> Result<String, Failure> {
    let path = format!("/env/{name}");
    let text = read(&path).map_err(|e| Failure::of_file(&path, &e))?;
    String::from_utf8(text).map_err(|_| Failure::Unknown(format!("{path}: no UTF-8")))
}

/// Reads what [`save`] wrote in an earlier run, `None` if there is nothing (or no grant:
/// [`save`] tells). The name is that of a file in `/state`.
pub fn load(name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let path = format!("/state/{name}");
    match read(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(|e| Failure::of_file(&path, &e)),
    }
}

/// Keeps bytes for the runs to come. A run sees what was there before, or all of it.
pub fn save(name: &str, data: &[u8]) -> Result<(), Failure> {
    let path = format!("/state/{name}");
    let draft = format!("{path}.draft");
    let saved = fs::write(&draft, data).and_then(|()| fs::rename(&draft, &path));
    saved.map_err(|e| Failure::of_file(&path, &e))
}

/// Reads a file whole.
fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(DOCUMENT + 1).read_to_end(&mut text)?;
    match text.len() as u64 > DOCUMENT {
        true => Err(io::Error::new(io::ErrorKind::Other, format!("it has more than {DOCUMENT} bytes"))),
        false => Ok(text),
    }
}
