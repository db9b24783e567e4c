//! How values of generated types cross: what `wasmtime`'s derives do, in terms that bindings of any names can use, and with
//! values that are plain bytes copied as such.

mod enumeration;
mod flags;
mod plain;
mod record;
mod variant;
mod wide;

pub use plain::Plain;
use wasmtime::component::__internal::CanonicalAbiInfo;

/// Where fields lie.
pub const fn offsets<const N: usize>(fields: [CanonicalAbiInfo; N]) -> [usize; N] {
    let mut offsets = [0; N];
    let (mut at, mut i) = (0_usize, 0);
    while i < N {
        at = at.next_multiple_of(fields[i].align32 as usize);
        offsets[i] = at;
        at += fields[i].size32 as usize;
        i += 1;
    }
    offsets
}

/// A discriminant.
pub fn load_tag<const N: usize>(from: &[u8]) -> u32 {
    let mut bytes = [0; 4];
    bytes[..N].copy_from_slice(&from[..N]);
    u32::from_le_bytes(bytes)
}

/// The bytes of a discriminant.
pub fn tag<const N: usize>(case: u32) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&case.to_le_bytes()[..N]);
    bytes
}

/// What a component never passes, unless it is wrong.
#[cold]
pub fn invalid<T>(what: &str, case: u32) -> wasmtime::Result<T> {
    wasmtime::bail!("`{what}` has no case {case}")
}

/// The names that the macros of this module need where they are expanded.
pub mod names {
    pub use super::{Plain, invalid, load_tag, offsets, tag};
    pub use core::marker::Copy;
    pub use core::mem::MaybeUninit;
    pub use core::option::Option;
    pub use wasmtime::component::__internal::{
        CanonicalAbiInfo, ComponentVariant, InstanceType, InterfaceType, LiftContext, LowerContext, bad_type_info,
        lower_payload, map_maybe_uninit, typecheck_enum, typecheck_flags, typecheck_record, typecheck_variant,
    };
    // The macro above expands to a call of this trait's.
    pub use wasmtime::component::__internal::MaybeUninitExt;
    pub use wasmtime::component::{ComponentNamedList, ComponentType, Lift, Lower};
    pub use wasmtime::{Result, ValRaw, bail};
}
