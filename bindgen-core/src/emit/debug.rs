//! `Debug` of types, where it cannot be derived or has other names than Rust's.

use super::ident;
use super::paths::Scope;
use crate::model::{Case, Field, Type, TypeDef};
use proc_macro2::TokenStream;
use quote::quote;

/// Prints the impl; `format` is the function's body. `lints` stand before it.
pub(crate) fn implement(def: &TypeDef, lints: Option<&TokenStream>, format: &TokenStream) -> TokenStream {
    let (name, generics) = (ident(&def.name), def.lifetime.then(|| quote!(<'a>)));
    quote! {
        #lints
        impl #generics ::core::fmt::Debug for #name #generics {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #format
            }
        }
    }
}

/// Prints a record; `label` is what a field is called.
pub(crate) fn record(
    scope: &Scope<'_>,
    def: &TypeDef,
    fields: &[Field],
    label: impl Fn(&Field) -> String,
) -> TokenStream {
    let text = &def.name;
    let parts = fields.iter().map(|field| {
        let (label, name) = (label(field), ident(&field.name));
        let value = value(scope, &field.ty, quote!(&self.#name));
        quote!(.field(#label, #value))
    });
    quote!(f.debug_struct(#text) #(#parts)* .finish())
}

/// Prints the cases of an enum or a variant; `label` is what a case is called.
pub(crate) fn cases(scope: &Scope<'_>, cases: &[Case], label: impl Fn(&Case) -> String) -> TokenStream {
    let arms = cases.iter().map(|case| {
        let (name, label) = (ident(&case.name), label(case));
        let Some(ty) = &case.ty else { return quote!(Self::#name => f.write_str(#label)) };
        let field = value(scope, ty, quote!(value));
        let value = if scope.world.has_debug(ty) { quote!(value) } else { quote!(_) };
        quote!(Self::#name(#value) => f.debug_tuple(#label).field(#field).finish())
    });
    quote!(match self { #(#arms,)* })
}

/// The value, or what stands for one that has no `Debug`.
fn value(scope: &Scope<'_>, ty: &Type, value: TokenStream) -> TokenStream {
    if scope.world.has_debug(ty) { value } else { quote!(&::core::format_args!("(..)")) }
}
