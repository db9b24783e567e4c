//! The object that the runtimes are linked with.

use anyhow::Result;
use wasp_tests::beside::{check, folder, write};

#[test]
fn the_committed_object_is_what_is_written_for_this_version() -> Result<()> {
    check(&folder(), env!("CARGO_PKG_VERSION"))
}

#[test]
fn an_object_of_another_version_is_noticed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    write(folder.path(), "1.2.3")?;
    check(folder.path(), "1.2.3")?;
    let error = check(folder.path(), "1.2.4").expect_err("the version has changed");
    assert!(error.to_string().contains("write-beside"), "{error}");
    std::fs::write(folder.path().join("another"), "")?;
    check(folder.path(), "1.2.3").expect_err("there is something else");
    Ok(())
}
