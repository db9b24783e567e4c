//! Parameter lists that are longer than the engine's tuples.

/// A tuple of any length: `wide!(__Params18(A0, A1, …))`.
#[doc(hidden)]
#[macro_export]
macro_rules! wide {
    ($(#[$attribute:meta])* $name:ident($($param:ident),*)) => {
        #[doc(hidden)]
        $(#[$attribute])*
        pub struct $name<$($param),*>($(pub $param),*);

        const _: () = {
            use $crate::__rt::abi as __abi;

            #[derive(Clone, Copy)]
            #[allow(non_snake_case)]
            #[repr(C)]
            pub struct __Lowered<$($param: __abi::Copy),*> {
                $($param: $param,)*
                __align: [__abi::ValRaw; 0],
            }

            const COUNT: usize = [$(stringify!($param)),*].len();

            fn parts(
                types: &$crate::__rt::ComponentTypes,
                ty: __abi::InterfaceType,
            ) -> impl ::core::ops::FnMut() -> __abi::InterfaceType {
                let __abi::InterfaceType::Tuple(index) = ty else { __abi::bad_type_info() };
                let mut types = types[index].types.iter();
                move || types.next().map_or_else(__abi::bad_type_info, |ty| *ty)
            }

            // SAFETY: parts are lowered and lifted in order, each at its place.
            unsafe impl<$($param: __abi::ComponentType),*> __abi::ComponentType for $name<$($param),*> {
                type Lower = __Lowered<$(<$param as __abi::ComponentType>::Lower),*>;

                const ABI: __abi::CanonicalAbiInfo =
                    __abi::CanonicalAbiInfo::record_static(&[$(<$param as __abi::ComponentType>::ABI),*]);
                const MAY_REQUIRE_REALLOC: bool =
                    false $(|| <$param as __abi::ComponentType>::MAY_REQUIRE_REALLOC)*;

                fn typecheck(ty: &__abi::InterfaceType, types: &__abi::InstanceType<'_>) -> __abi::Result<()> {
                    let __abi::InterfaceType::Tuple(index) = ty else { __abi::bail!("there are no parameters") };
                    let parts = &types.types[*index].types;
                    if parts.len() != COUNT {
                        __abi::bail!("expected {COUNT} parameters, found {}", parts.len());
                    }
                    let mut parts = parts.iter();
                    $(<$param as __abi::ComponentType>::typecheck(
                        parts.next().unwrap_or_else(__abi::bad_type_info),
                        types,
                    )?;)*
                    $crate::__rt::Ok(())
                }
            }

            // SAFETY: it is a tuple in everything but name.
            unsafe impl<$($param: __abi::ComponentType),*> __abi::ComponentNamedList for $name<$($param),*> {}

            // SAFETY: as above.
            unsafe impl<$($param: __abi::Lift),*> __abi::Lift for $name<$($param),*> {
                fn linear_lift_from_flat(
                    cx: &mut __abi::LiftContext<'_>,
                    ty: __abi::InterfaceType,
                    src: &<Self as __abi::ComponentType>::Lower,
                ) -> __abi::Result<Self> {
                    let mut types = parts(&cx.types, ty);
                    $crate::__rt::Ok(Self($(<$param as __abi::Lift>::linear_lift_from_flat(cx, types(), &src.$param)?),*))
                }

                #[allow(non_snake_case)]
                fn linear_lift_from_memory(
                    cx: &mut __abi::LiftContext<'_>,
                    ty: __abi::InterfaceType,
                    bytes: &[u8],
                ) -> __abi::Result<Self> {
                    let mut types = parts(&cx.types, ty);
                    let [$($param),*] = __abi::offsets([$(<$param as __abi::ComponentType>::ABI),*]);
                    $crate::__rt::Ok(Self($({
                        let size = <$param as __abi::ComponentType>::SIZE32;
                        <$param as __abi::Lift>::linear_lift_from_memory(cx, types(), &bytes[$param..$param + size])?
                    }),*))
                }
            }

            // SAFETY: as above.
            unsafe impl<$($param: __abi::Lower),*> __abi::Lower for $name<$($param),*> {
                #[allow(non_snake_case)]
                fn linear_lower_to_flat<T_>(
                    &self,
                    cx: &mut __abi::LowerContext<'_, T_>,
                    ty: __abi::InterfaceType,
                    dst: &mut __abi::MaybeUninit<<Self as __abi::ComponentType>::Lower>,
                ) -> __abi::Result<()> {
                    use __abi::MaybeUninitExt as _;
                    let mut types = parts(cx.types, ty);
                    let Self($($param),*) = self;
                    $($param.linear_lower_to_flat(cx, types(), __abi::map_maybe_uninit!(dst.$param))?;)*
                    $crate::__rt::Ok(())
                }

                #[allow(non_snake_case)]
                fn linear_lower_to_memory<T_>(
                    &self,
                    cx: &mut __abi::LowerContext<'_, T_>,
                    ty: __abi::InterfaceType,
                    offset: usize,
                ) -> __abi::Result<()> {
                    let mut types = parts(cx.types, ty);
                    let mut offsets =
                        __abi::offsets([$(<$param as __abi::ComponentType>::ABI),*]).into_iter();
                    let Self($($param),*) = self;
                    $($param.linear_lower_to_memory(cx, types(), offset + offsets.next().unwrap_or_default())?;)*
                    $crate::__rt::Ok(())
                }
            }
        };
    };
}
