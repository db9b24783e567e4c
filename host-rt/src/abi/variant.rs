//! Variants.

/// Passes a variant: `variant!(Error, 1 { 0 => NotFound = "not-found", 1 => Other(String) = "other", })`.
#[doc(hidden)]
#[macro_export]
macro_rules! variant {
    (@lowered) => { [$crate::__rt::abi::ValRaw; 0] };
    (@lowered $ty:ty) => { <$ty as $crate::__rt::abi::ComponentType>::Lower };
    (@info) => { ::core::option::Option::None };
    (@info $ty:ty) => { ::core::option::Option::Some(<$ty as $crate::__rt::abi::ComponentType>::ABI) };
    (@check) => { ::core::option::Option::None };
    (@check $ty:ty) => { ::core::option::Option::Some(<$ty as $crate::__rt::abi::ComponentType>::typecheck) };
    (@realloc) => { false };
    (@realloc $ty:ty) => { <$ty as $crate::__rt::abi::ComponentType>::MAY_REQUIRE_REALLOC };
    (@lift $case:ident, $cx:ident, $ty_of:ident, $index:literal, $src:expr;) => { $crate::__rt::Ok(Self::$case) };
    (@lift $case:ident, $cx:ident, $ty_of:ident, $index:literal, $src:expr; $ty:ty) => {
        // SAFETY: every bit pattern is a value of each of the union's fields.
        $crate::__rt::Ok(Self::$case(<$ty as $crate::__rt::abi::Lift>::linear_lift_from_flat($cx, $ty_of($index), unsafe { &$src })?))
    };
    (@load $case:ident, $cx:ident, $ty_of:ident, $index:literal, $payload:ident;) => { $crate::__rt::Ok(Self::$case) };
    (@load $case:ident, $cx:ident, $ty_of:ident, $index:literal, $payload:ident; $ty:ty) => {
        $crate::__rt::Ok(Self::$case(<$ty as $crate::__rt::abi::Lift>::linear_lift_from_memory(
            $cx,
            $ty_of($index),
            &$payload[..<$ty as $crate::__rt::abi::ComponentType>::SIZE32],
        )?))
    };
    (@lower $cx:ident, $ty_of:ident, $index:literal, $dst:ident;) => {{ let _ = $dst; $crate::__rt::Ok(()) }};
    (@lower $cx:ident, $ty_of:ident, $index:literal, $dst:ident; $value:ident) => {
        $crate::__rt::abi::Lower::linear_lower_to_flat($value, $cx, $ty_of($index), $dst)
    };
    (@store $cx:ident, $ty_of:ident, $index:literal, $offset:ident;) => { $crate::__rt::Ok(()) };
    (@store $cx:ident, $ty_of:ident, $index:literal, $offset:ident; $value:ident) => {
        $crate::__rt::abi::Lower::linear_lower_to_memory($value, $cx, $ty_of($index), $offset)
    };
    ($name:ident, $tag:literal { $($index:literal => $case:ident $($value:ident: $ty:ty)? = $wit:literal,)* }) => {
        const _: () = {
            use $crate::__rt::abi as __abi;

            #[derive(Clone, Copy)]
            #[repr(C)]
            pub struct __Lowered<$($case: __abi::Copy),*> {
                tag: __abi::ValRaw,
                payload: __Payload<$($case),*>,
            }

            #[derive(Clone, Copy)]
            #[allow(non_snake_case)]
            #[repr(C)]
            union __Payload<$($case: __abi::Copy),*> {
                $($case: $case,)*
            }

            fn cases(
                types: &$crate::__rt::ComponentTypes,
                ty: __abi::InterfaceType,
            ) -> impl ::core::ops::Fn(usize) -> __abi::InterfaceType {
                let __abi::InterfaceType::Variant(index) = ty else { __abi::bad_type_info() };
                let cases = &types[index].cases;
                move |case| cases[case].unwrap_or_else(__abi::bad_type_info)
            }

            // SAFETY: the tag says which payload is lowered or lifted, and where.
            unsafe impl __abi::ComponentType for $name {
                type Lower = __Lowered<$($crate::variant!(@lowered $($ty)?)),*>;

                const ABI: __abi::CanonicalAbiInfo =
                    __abi::CanonicalAbiInfo::variant_static(<Self as __abi::ComponentVariant>::CASES);
                const MAY_REQUIRE_REALLOC: bool = false $(|| $crate::variant!(@realloc $($ty)?))*;

                fn typecheck(ty: &__abi::InterfaceType, types: &__abi::InstanceType<'_>) -> __abi::Result<()> {
                    __abi::typecheck_variant(ty, types, &[$(($wit, $crate::variant!(@check $($ty)?))),*])
                }
            }

            // SAFETY: these are all cases.
            unsafe impl __abi::ComponentVariant for $name {
                const CASES: &'static [__abi::Option<__abi::CanonicalAbiInfo>] =
                    &[$($crate::variant!(@info $($ty)?)),*];
            }

            // SAFETY: as above.
            unsafe impl __abi::Lift for $name {
                fn linear_lift_from_flat(
                    cx: &mut __abi::LiftContext<'_>,
                    ty: __abi::InterfaceType,
                    src: &<Self as __abi::ComponentType>::Lower,
                ) -> __abi::Result<Self> {
                    let ty_of = cases(&cx.types, ty);
                    match src.tag.get_u32() {
                        $($index => $crate::variant!(@lift $case, cx, ty_of, $index, src.payload.$case; $($ty)?),)*
                        case => __abi::invalid(stringify!($name), case),
                    }
                }

                fn linear_lift_from_memory(
                    cx: &mut __abi::LiftContext<'_>,
                    ty: __abi::InterfaceType,
                    bytes: &[u8],
                ) -> __abi::Result<Self> {
                    let ty_of = cases(&cx.types, ty);
                    let payload = &bytes[<Self as __abi::ComponentVariant>::PAYLOAD_OFFSET32..];
                    match __abi::load_tag::<$tag>(bytes) {
                        $($index => $crate::variant!(@load $case, cx, ty_of, $index, payload; $($ty)?),)*
                        case => __abi::invalid(stringify!($name), case),
                    }
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
                    use __abi::MaybeUninitExt as _;
                    let ty_of = cases(cx.types, ty);
                    match self {
                        $(Self::$case $(($value))? => {
                            __abi::map_maybe_uninit!(dst.tag).write(__abi::ValRaw::u32($index));
                            // SAFETY: the field is one of the union's, and is written.
                            unsafe {
                                __abi::lower_payload(
                                    __abi::map_maybe_uninit!(dst.payload),
                                    |payload| __abi::map_maybe_uninit!(payload.$case),
                                    |to| $crate::variant!(@lower cx, ty_of, $index, to; $($value)?),
                                )
                            }
                        })*
                    }
                }

                fn linear_lower_to_memory<T_>(
                    &self,
                    cx: &mut __abi::LowerContext<'_, T_>,
                    ty: __abi::InterfaceType,
                    offset: usize,
                ) -> __abi::Result<()> {
                    let ty_of = cases(cx.types, ty);
                    let at = offset + <Self as __abi::ComponentVariant>::PAYLOAD_OFFSET32;
                    let _ = (&ty_of, at);
                    match self {
                        $(Self::$case $(($value))? => {
                            *cx.get::<$tag>(offset) = __abi::tag($index);
                            $crate::variant!(@store cx, ty_of, $index, at; $($value)?)
                        })*
                    }
                }
            }
        };
    };
}
