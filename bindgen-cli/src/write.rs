//! Files that are only written when they change, and then all at once.

use std::io;
use std::path::Path;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has new contents.
    Written,
    /// It had them already: its time is as it was, so that nothing is built anew because of it.
    Unchanged,
}

/// Writes a file and the folders it is in. Whoever reads it meanwhile sees all of the old contents or all of the new.
///
/// # Errors
/// When the file system refuses.
///
/// ```
/// use wasp_bindgen_cli::{Outcome, write};
///
/// let file = std::env::temp_dir().join("wasp-bindgen-doc").join("a.txt");
/// write(&file, b"a")?;
/// assert_eq!(write(&file, b"a")?, Outcome::Unchanged);
/// assert_eq!(write(&file, b"b")?, Outcome::Written);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write(file: &Path, contents: &[u8]) -> io::Result<Outcome> {
    if std::fs::read(file).is_ok_and(|present| present == contents) {
        return Ok(Outcome::Unchanged);
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let Some(name) = file.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path does not name a file"));
    };
    // Beside the file, as only within one file system files are replaced at once; of this process, as others may write too.
    let mut unfinished = std::ffi::OsString::from(".");
    unfinished.push(name);
    unfinished.push(format!(".{}", std::process::id()));
    let unfinished = folder.join(unfinished);
    let result = std::fs::write(&unfinished, contents).and_then(|()| replace(&unfinished, file));
    if result.is_err() {
        // Best effort: the error that is reported is the first one.
        let _ = std::fs::remove_file(&unfinished);
    }
    result.map(|()| Outcome::Written)
}

/// Puts the new file into the place of the old one; what is no plain file (a link, a device) is written to instead.
fn replace(unfinished: &Path, file: &Path) -> io::Result<()> {
    if std::fs::symlink_metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        std::fs::copy(unfinished, file)?;
        return std::fs::remove_file(unfinished);
    }
    std::fs::rename(unfinished, file)
}
