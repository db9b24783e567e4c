//! From options to bindings, with what went wrong beside them.

use crate::cursor::Mistake;
use crate::debug;
use crate::options::{self, Config, Side};
use crate::places::Places;
use crate::runtime;
use crate::suffix;
use crate::track;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use wasp_bindgen_core::table::TABLE;
use wasp_bindgen_core::{Diagnostic, Diagnostics, Generated, Options};

/// The bindings, or as much of them as there can be next to errors.
pub(crate) fn expand(input: TokenStream, side: Side) -> TokenStream {
    let mut config = options::parse(input, side);
    let places = Places::of_this_crate();
    let options = match options(&config, &places) {
        Ok(options) => options,
        Err(mistake) => {
            config.mistakes.push(mistake);
            return complete(&config, TokenStream::new(), nothing(&config.options, side));
        }
    };
    let generated = match generate(&options, side) {
        Ok(generated) => Some(generated),
        Err(diagnostics) => {
            // What follows from a mistake in the options need not be said.
            if config.mistakes.is_empty() {
                report(&mut config, &places, &diagnostics);
            }
            without(options.clone(), diagnostics, side)
        }
    };
    let Some(generated) = generated else {
        return complete(&config, TokenStream::new(), nothing(&options, side));
    };
    let tracked = track::files(&generated.files, &places);
    let bindings = match wants_file(&config) {
        true => debug::include(generated, &mut config),
        false => runtime::insert(generated.tokens, config.runtime.as_ref()),
    };
    complete(&config, tracked, bindings)
}

fn generate(options: &Options, side: Side) -> Result<Generated, Diagnostics> {
    match side {
        Side::Guest => wasp_bindgen_core::guest(options),
        Side::Host => wasp_bindgen_core::host(options),
    }
}

/// Whether the bindings go into a file, where `$crate` can't be written.
fn wants_file(config: &Config) -> bool {
    config.debug || debug::is_on()
}

/// What the core is asked for.
fn options(config: &Config, places: &Places) -> Result<Options, Mistake> {
    let mut options = config.options.clone();
    if config.side == Side::Guest && options.type_section_suffix.is_none() {
        options.type_section_suffix = suffix::of_this_call();
    }
    if options.runtime_path.is_none() && config.runtime.is_some() {
        options.runtime_path = match wants_file(config) {
            true => debug::runtime(config.side),
            false => Some(runtime::PLACEHOLDER.to_string()),
        };
    }
    for path in &mut options.paths {
        *path = places.root.join(&*path);
    }
    // `path: []` says that there is nothing beside `inline`.
    if options.paths.is_empty() && config.spot("path", None).is_none() {
        let default = places.root.join("wit");
        if default.exists() {
            options.paths.push(default);
        } else if options.inline.is_none() {
            if !config.mistakes.is_empty() {
                // The path may be what can't be read.
                return Ok(options);
            }
            let message = "there is no folder `wit` beside `Cargo.toml`\n\
                help: put the WIT there, or say where it is: `generate!({ path: \"…\" })`, or give it: `generate!({ inline: \"…\" })`";
            return Err(Mistake::new(Span::call_site(), message));
        }
    }
    Ok(options)
}

/// Generates without the entries that were refused, so that code that uses the rest finds it.
fn without(mut options: Options, mut refused: Diagnostics, side: Side) -> Option<Generated> {
    // Each round takes something away; what is not understood ends it.
    loop {
        let mut taken = false;
        for diagnostic in &refused.0 {
            taken |= take_away(&mut options, diagnostic);
        }
        if !taken {
            return None;
        }
        match generate(&options, side) {
            Ok(generated) => return Some(generated),
            Err(diagnostics) => refused = diagnostics,
        }
    }
}

/// Takes away what a diagnostic is about. Returns whether there was something.
fn take_away(options: &mut Options, diagnostic: &Diagnostic) -> bool {
    let Some((option, entry)) = &diagnostic.option else {
        return false;
    };
    let row = TABLE.iter().find(|row| row.name == *option);
    let is_taken = match *option {
        // What is missing there is generated.
        "generate_all" => false,
        _ => row.is_some_and(|row| row.take_away(options, entry.as_deref())),
    };
    is_taken || matches!(*option, "with" | "generate_all") && !core::mem::replace(&mut options.generate_all, true)
}

/// Makes mistakes of the core's diagnostics, at the tokens they speak of.
fn report(config: &mut Config, places: &Places, diagnostics: &Diagnostics) {
    for diagnostic in &diagnostics.0 {
        let span = span(config, places, diagnostic);
        let message = places.message(diagnostic, config.inline.as_ref());
        config.mistakes.push(Mistake::new(span, message));
    }
}

/// The most specific token that a diagnostic is about.
fn span(config: &Config, places: &Places, diagnostic: &Diagnostic) -> Span {
    let of_option = diagnostic.option.as_ref().and_then(|(option, entry)| {
        let entry = entry.as_deref().map(|entry| places.as_written(entry));
        config.spot(option, entry.as_deref())
    });
    let of_place = || {
        let place = diagnostic.place.as_ref()?;
        match config.inline.is_some() && place.file == "<inline>" {
            true => config.spot("inline", None),
            false => {
                let paths = config.options.paths.iter().rev();
                let path = paths.map(|path| path.to_string_lossy()).find(|path| places.is_in(&place.file, path))?;
                config.spot("path", Some(&path))
            }
        }
    };
    of_option.or_else(of_place).unwrap_or_else(Span::call_site)
}

/// What stands in for bindings that can't be made: the macro alone, so that its use is no further error.
fn nothing(options: &Options, side: Side) -> TokenStream {
    if side == Side::Host {
        return TokenStream::new();
    }
    let name = options.export_macro_name.as_deref().unwrap_or("export");
    let name = match name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
    {
        true if !name.is_empty() => format_ident!("{name}"),
        _ => return TokenStream::new(),
    };
    let hidden = format_ident!("__wasp_no_{name}");
    quote! {
        #[doc(hidden)]
        #[allow(unused_macros)]
        macro_rules! #hidden { ($($tokens:tt)*) => {}; }
        #[doc(hidden)]
        #[allow(unused_imports)]
        pub(crate) use #hidden as #name;
    }
}

fn complete(config: &Config, tracked: TokenStream, bindings: TokenStream) -> TokenStream {
    let mistakes = config.mistakes.iter().cloned().map(Mistake::into_tokens);
    let notices = config.notices.iter().map(notice);
    let inputs = track::inputs(&config.inputs);
    quote! { #bindings #tracked #inputs #(#notices)* #(#mistakes)* }
}

/// A warning: the lint for deprecated items is the one that a macro can raise.
fn notice(notice: &Mistake) -> TokenStream {
    let message = &notice.message;
    let used = quote_spanned!(notice.first=> OPTION_OF_EARLIER_VERSIONS);
    quote! {
        const _: () = {
            #[deprecated(note = #message)]
            const OPTION_OF_EARLIER_VERSIONS: () = ();
            #used
        };
    }
}
