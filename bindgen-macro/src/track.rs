//! What the compiler has to look at to know whether bindings are still what their sources say.
//!
//! Each file that was read is included, and each environment variable asked for: editing, replacing or removing a file
//! builds the crate anew. Compilers that are not nightly offer macros nothing to watch a folder with, so a file that is
//! *new* is seen as soon as another file of the package changes, which it must to refer to the new one.

use crate::debug;
use crate::places::Places;
use crate::text::Inputs;
use proc_macro2::TokenStream;
use quote::quote;
use std::path::{Component, Path, PathBuf};

/// Has the files tracked. Paths start at the manifest's folder or at `OUT_DIR`, so that they are the same everywhere.
pub(crate) fn files(files: &[PathBuf], places: &Places) -> TokenStream {
    let out_dir = std::env::var_os("OUT_DIR").map(PathBuf::from);
    files
        .iter()
        .map(|file| {
            let path =
                match (below(file, Some(&places.root).filter(|_| places.by_cargo)), below(file, out_dir.as_ref())) {
                    (_, Some(rest)) => quote!(::core::concat!(::core::env!("OUT_DIR"), #rest)),
                    (Some(rest), None) => {
                        quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #rest))
                    }
                    (None, None) => {
                        let file = file.to_string_lossy();
                        quote!(#file)
                    }
                };
            quote!(
                const _: &[u8] = ::core::include_bytes!(#path);
            )
        })
        .collect()
}

/// `/wit/a.wit` for such a file in `folder`; parents of it may come first.
fn below(file: &Path, folder: Option<&PathBuf>) -> Option<String> {
    let relative = file.strip_prefix(folder?).ok()?;
    let mut text = String::new();
    for component in relative.components().filter(|component| *component != Component::CurDir) {
        text.push('/');
        text.push_str(component.as_os_str().to_str()?);
    }
    Some(text)
}

/// Has what strings were made from tracked.
pub(crate) fn inputs(inputs: &Inputs) -> TokenStream {
    let variables = inputs.variables.iter().map(String::as_str).chain(debug::VARIABLES);
    let included = &inputs.included;
    quote! {
        #(const _: ::core::option::Option<&str> = ::core::option_env!(#variables);)*
        #(const _: &[u8] = ::core::include_bytes!(#included);)*
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_the_manifest_on() {
        let folder = PathBuf::from("/w/crate");
        assert_eq!(below(Path::new("/w/crate/wit/./a.wit"), Some(&folder)).as_deref(), Some("/wit/a.wit"));
        assert_eq!(below(Path::new("/w/crate/../wit/a.wit"), Some(&folder)).as_deref(), Some("/../wit/a.wit"));
        assert_eq!(below(Path::new("/elsewhere/a.wit"), Some(&folder)), None);
    }
}
