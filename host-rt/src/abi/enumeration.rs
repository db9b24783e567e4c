//! Enums.

/// Passes an enum: `enumeration!(Color, 1 { 0 => Red = "red", 1 => Green = "green", })`.
#[doc(hidden)]
#[macro_export]
macro_rules! enumeration {
    ($name:ident, $tag:literal { $($index:literal => $case:ident = $wit:literal,)* }) => {
        const _: () = {
            use $crate::__rt::abi as __abi;

            impl $name {
                fn __case(&self) -> u32 {
                    match self { $(Self::$case => $index,)* }
                }

                fn __of(case: u32) -> __abi::Result<Self> {
                    match case {
                        $($index => $crate::__rt::Ok(Self::$case),)*
                        case => __abi::invalid(stringify!($name), case),
                    }
                }
            }

            impl __abi::Plain for $name {
                const BYTES: usize = $tag;

                #[inline(always)]
                fn load(from: &[u8]) -> __abi::Result<Self> {
                    Self::__of(__abi::load_tag::<$tag>(from))
                }

                #[inline(always)]
                fn store(&self, to: &mut [u8]) {
                    to[..$tag].copy_from_slice(&__abi::tag::<$tag>(self.__case()));
                }
            }

            // SAFETY: an enum is its tag.
            unsafe impl __abi::ComponentType for $name {
                type Lower = __abi::ValRaw;

                const ABI: __abi::CanonicalAbiInfo = __abi::CanonicalAbiInfo::enum_([$($wit),*].len());
                const MAY_REQUIRE_REALLOC: bool = false;

                fn typecheck(ty: &__abi::InterfaceType, types: &__abi::InstanceType<'_>) -> __abi::Result<()> {
                    __abi::typecheck_enum(ty, types, &[$($wit),*])
                }
            }

            // SAFETY: these are all cases.
            unsafe impl __abi::ComponentVariant for $name {
                const CASES: &'static [__abi::Option<__abi::CanonicalAbiInfo>] =
                    &[const { __abi::Option::None }; [$($wit),*].len()];
            }

            // SAFETY: as above.
            unsafe impl __abi::Lift for $name {
                fn linear_lift_from_flat(
                    _cx: &mut __abi::LiftContext<'_>,
                    _ty: __abi::InterfaceType,
                    src: &<Self as __abi::ComponentType>::Lower,
                ) -> __abi::Result<Self> {
                    Self::__of(src.get_u32())
                }

                #[inline]
                fn linear_lift_from_memory(
                    _cx: &mut __abi::LiftContext<'_>,
                    _ty: __abi::InterfaceType,
                    bytes: &[u8],
                ) -> __abi::Result<Self> {
                    __abi::Plain::load(bytes)
                }
            }

            // SAFETY: as above.
            unsafe impl __abi::Lower for $name {
                fn linear_lower_to_flat<T_>(
                    &self,
                    _cx: &mut __abi::LowerContext<'_, T_>,
                    _ty: __abi::InterfaceType,
                    dst: &mut __abi::MaybeUninit<<Self as __abi::ComponentType>::Lower>,
                ) -> __abi::Result<()> {
                    dst.write(__abi::ValRaw::u32(self.__case()));
                    $crate::__rt::Ok(())
                }

                #[inline]
                fn linear_lower_to_memory<T_>(
                    &self,
                    cx: &mut __abi::LowerContext<'_, T_>,
                    _ty: __abi::InterfaceType,
                    offset: usize,
                ) -> __abi::Result<()> {
                    *cx.get::<$tag>(offset) = __abi::tag(self.__case());
                    $crate::__rt::Ok(())
                }
            }
        };
    };
}
