//! Resources that a component provides: what owns one, and what borrows it.

use std::fmt;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};
use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext};
use wasmtime::component::{ComponentType, Lift, Lower, ResourceAny};
use wasmtime::{AsContextMut, Result, bail};

/// A handle that is the host's until it is passed to a component as its own.
pub struct Owner {
    any: ResourceAny,
    passed: AtomicBool,
}

impl Owner {
    /// A handle for as long as a call takes.
    pub fn borrow(&self) -> Borrow {
        Borrow(self.any)
    }

    /// Drops the resource: its destructor runs.
    pub async fn close(self, store: impl AsContextMut<Data: Send>) -> Result<()> {
        match self.passed.load(Ordering::Relaxed) {
            true => Ok(()),
            false => self.any.resource_drop_async(store).await,
        }
    }

    /// The engine's handle.
    pub fn into_any(self) -> ResourceAny {
        self.any
    }

    /// Takes over a handle of the engine's.
    pub fn from_any(any: ResourceAny) -> Self {
        Self { any, passed: AtomicBool::new(false) }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.any.fmt(f)
    }
}

/// A handle that is lent to a component.
#[derive(Clone, Copy)]
pub struct Borrow(ResourceAny);

impl fmt::Debug for Borrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a handle does while it crosses.
trait Handle: Sized + Send + Sync {
    fn any(&self, ty: InterfaceType) -> Result<ResourceAny>;

    fn of(any: ResourceAny) -> Self;
}

impl Handle for Owner {
    fn any(&self, ty: InterfaceType) -> Result<ResourceAny> {
        let gives_away = matches!(ty, InterfaceType::Own(_));
        if self.passed.fetch_or(gives_away, Ordering::Relaxed) {
            bail!("the resource was passed to a component before");
        }
        Ok(self.any)
    }

    fn of(any: ResourceAny) -> Self {
        Self::from_any(any)
    }
}

impl Handle for Borrow {
    fn any(&self, _ty: InterfaceType) -> Result<ResourceAny> {
        Ok(self.0)
    }

    fn of(any: ResourceAny) -> Self {
        Self(any)
    }
}

macro_rules! handles {
    ($($name:ident)*) => {$(
        // SAFETY: everything is the engine's handle's.
        unsafe impl ComponentType for $name {
            type Lower = <ResourceAny as ComponentType>::Lower;

            const ABI: CanonicalAbiInfo = <ResourceAny as ComponentType>::ABI;
            const MAY_REQUIRE_REALLOC: bool = false;

            fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
                ResourceAny::typecheck(ty, types)
            }
        }

        // SAFETY: as above.
        unsafe impl Lift for $name {
            fn linear_lift_from_flat(cx: &mut LiftContext<'_>, ty: InterfaceType, src: &Self::Lower) -> Result<Self> {
                ResourceAny::linear_lift_from_flat(cx, ty, src).map(Handle::of)
            }

            fn linear_lift_from_memory(cx: &mut LiftContext<'_>, ty: InterfaceType, bytes: &[u8]) -> Result<Self> {
                ResourceAny::linear_lift_from_memory(cx, ty, bytes).map(Handle::of)
            }
        }

        // SAFETY: as above.
        unsafe impl Lower for $name {
            fn linear_lower_to_flat<T>(
                &self,
                cx: &mut LowerContext<'_, T>,
                ty: InterfaceType,
                dst: &mut MaybeUninit<Self::Lower>,
            ) -> Result<()> {
                self.any(ty)?.linear_lower_to_flat(cx, ty, dst)
            }

            fn linear_lower_to_memory<T>(
                &self,
                cx: &mut LowerContext<'_, T>,
                ty: InterfaceType,
                offset: usize,
            ) -> Result<()> {
                self.any(ty)?.linear_lower_to_memory(cx, ty, offset)
            }
        }
    )*};
}

handles!(Owner Borrow);

/// Defines the two types of a resource that a component provides.
#[doc(hidden)]
#[macro_export]
macro_rules! exported {
    (
        $(#[$attribute:meta])* pub struct $name:ident;
        $(#[$borrow_attribute:meta])* pub struct $borrow:ident;
    ) => {
        $(#[$attribute])*
        #[derive(Debug)]
        pub struct $name($crate::__rt::Owner);

        impl $name {
            /// A handle for as long as a call takes.
            pub fn borrow(&self) -> $borrow {
                $borrow(self.0.borrow())
            }

            /// Drops the resource: its destructor runs.
            ///
            /// # Errors
            ///
            /// When the destructor fails.
            pub async fn close(
                self,
                store: impl $crate::__rt::AsContextMut<Data: ::core::marker::Send>,
            ) -> $crate::__rt::Result<()> {
                self.0.close(store).await
            }

            /// The engine's handle, which has to be dropped with the engine's functions.
            pub fn into_any(self) -> $crate::__rt::ResourceAny {
                self.0.into_any()
            }

            /// Takes over a handle of the engine's.
            pub fn from_any(any: $crate::__rt::ResourceAny) -> Self {
                Self($crate::__rt::Owner::from_any(any))
            }
        }

        $(#[$borrow_attribute])*
        #[derive(Clone, Copy, Debug)]
        pub struct $borrow($crate::__rt::Borrow);

        impl $crate::__rt::Attach for $name {}
        impl $crate::__rt::Attach for $borrow {}

        $crate::exported!(@pass $name, $crate::__rt::Owner);
        $crate::exported!(@pass $borrow, $crate::__rt::Borrow);
    };
    (@pass $name:ident, $inner:ty) => {
        const _: () = {
            use $crate::__rt::abi as __abi;

            // SAFETY: everything is the handle's.
            unsafe impl __abi::ComponentType for $name {
                type Lower = <$inner as __abi::ComponentType>::Lower;

                const ABI: __abi::CanonicalAbiInfo = <$inner as __abi::ComponentType>::ABI;
                const MAY_REQUIRE_REALLOC: bool = false;

                fn typecheck(ty: &__abi::InterfaceType, types: &__abi::InstanceType<'_>) -> __abi::Result<()> {
                    <$inner as __abi::ComponentType>::typecheck(ty, types)
                }
            }

            // SAFETY: as above.
            unsafe impl __abi::Lift for $name {
                fn linear_lift_from_flat(
                    cx: &mut __abi::LiftContext<'_>,
                    ty: __abi::InterfaceType,
                    src: &<Self as __abi::ComponentType>::Lower,
                ) -> __abi::Result<Self> {
                    $crate::__rt::Ok(Self(<$inner as __abi::Lift>::linear_lift_from_flat(cx, ty, src)?))
                }

                fn linear_lift_from_memory(
                    cx: &mut __abi::LiftContext<'_>,
                    ty: __abi::InterfaceType,
                    bytes: &[u8],
                ) -> __abi::Result<Self> {
                    $crate::__rt::Ok(Self(<$inner as __abi::Lift>::linear_lift_from_memory(cx, ty, bytes)?))
                }
            }

            // SAFETY: as above.
            unsafe impl __abi::Lower for $name {
                fn linear_lower_to_flat<T_>(
                    &self,
                    cx: &mut __abi::LowerContext<'_, T_>,
                    ty: __abi::InterfaceType,
                    dst: &mut __abi::MaybeUninit<<Self as __abi::ComponentType>::Lower>,
                ) -> __abi::Result<()> {
                    __abi::Lower::linear_lower_to_flat(&self.0, cx, ty, dst)
                }

                fn linear_lower_to_memory<T_>(
                    &self,
                    cx: &mut __abi::LowerContext<'_, T_>,
                    ty: __abi::InterfaceType,
                    offset: usize,
                ) -> __abi::Result<()> {
                    __abi::Lower::linear_lower_to_memory(&self.0, cx, ty, offset)
                }
            }
        };
    };
}
