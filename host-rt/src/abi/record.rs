//! Records.

/// Passes a record: `record!(Point { x: u32 = "x", y: u32 = "y", })`, with `plain` in front where all fields are.
#[doc(hidden)]
#[macro_export]
macro_rules! record {
    (plain $name:ident { $($field:ident: $ty:ty = $wit:literal,)* }) => {
        $crate::record!(@type $name { $($field: $ty = $wit,)* }
            __abi, cx, _ty, bytes, offset, this,
            {
                let _ = cx;
                <Self as __abi::Plain>::load(bytes)
            }
            {
                let size = <Self as __abi::Plain>::BYTES;
                __abi::Plain::store(this, &mut cx.as_slice_mut()[offset..][..size]);
                $crate::__rt::Ok(())
            }
            {
                fn linear_store_list_to_memory<T_>(
                    cx: &mut __abi::LowerContext<'_, T_>,
                    _ty: __abi::InterfaceType,
                    offset: usize,
                    items: &[Self],
                ) -> __abi::Result<()> {
                    let size = <Self as __abi::Plain>::BYTES;
                    let bytes = &mut cx.as_slice_mut()[offset..][..size * items.len()];
                    for (item, to) in items.iter().zip(bytes.chunks_exact_mut(size)) {
                        __abi::Plain::store(item, to);
                    }
                    $crate::__rt::Ok(())
                }
            }
            {
                impl __abi::Plain for $name {
                    const BYTES: usize = <Self as __abi::ComponentType>::ABI.size32 as usize;

                    #[inline(always)]
                    fn load(from: &[u8]) -> __abi::Result<Self> {
                        let from = &from[..Self::BYTES];
                        let [$($field),*] = OFFSETS;
                        $crate::__rt::Ok(Self {
                            $($field: {
                                let size = <$ty as __abi::Plain>::BYTES;
                                <$ty as __abi::Plain>::load(&from[$field..$field + size])?
                            },)*
                        })
                    }

                    #[inline(always)]
                    fn store(&self, to: &mut [u8]) {
                        let to = &mut to[..Self::BYTES];
                        let [$($field),*] = OFFSETS;
                        $(
                            let size = <$ty as __abi::Plain>::BYTES;
                            <$ty as __abi::Plain>::store(&self.$field, &mut to[$field..$field + size]);
                        )*
                    }
                }
            }
        );
    };
    ($name:ident { $($field:ident: $ty:ty = $wit:literal,)* }) => {
        $crate::record!(@type $name { $($field: $ty = $wit,)* }
            __abi, cx, ty, bytes, offset, this,
            {
                let mut types = fields(&cx.types, ty);
                let [$($field),*] = OFFSETS;
                $crate::__rt::Ok(Self {
                    $($field: {
                        let size = <$ty as __abi::ComponentType>::SIZE32;
                        <$ty as __abi::Lift>::linear_lift_from_memory(cx, types(), &bytes[$field..$field + size])?
                    },)*
                })
            }
            {
                let mut types = fields(cx.types, ty);
                let [$($field),*] = OFFSETS;
                $(__abi::Lower::linear_lower_to_memory(&this.$field, cx, types(), offset + $field)?;)*
                $crate::__rt::Ok(())
            }
            {}
            {}
        );
    };
    (@type $name:ident { $($field:ident: $ty:ty = $wit:literal,)* }
        $abi:ident, $cx:ident, $interface:ident, $bytes:ident, $offset:ident, $this:ident,
        $lift:block $lower:block { $($list:item)* } { $($more:item)* }
    ) => {
        const _: () = {
            use $crate::__rt::abi as $abi;

            #[derive(Clone, Copy)]
            #[allow(non_camel_case_types)]
            #[repr(C)]
            pub struct __Lowered<$($field: $abi::Copy),*> {
                $($field: $field,)*
                __align: [$abi::ValRaw; 0],
            }

            const OFFSETS: [usize; [$($wit),*].len()] = $abi::offsets([$(<$ty as $abi::ComponentType>::ABI),*]);

            fn fields(
                types: &$crate::__rt::ComponentTypes,
                ty: $abi::InterfaceType,
            ) -> impl ::core::ops::FnMut() -> $abi::InterfaceType {
                let $abi::InterfaceType::Record(index) = ty else { $abi::bad_type_info() };
                let mut fields = types[index].fields.iter();
                move || fields.next().map_or_else($abi::bad_type_info, |field| field.ty)
            }

            // SAFETY: fields are lowered and lifted in order, each at its place.
            unsafe impl $abi::ComponentType for $name {
                type Lower = __Lowered<$(<$ty as $abi::ComponentType>::Lower),*>;

                const ABI: $abi::CanonicalAbiInfo =
                    $abi::CanonicalAbiInfo::record_static(&[$(<$ty as $abi::ComponentType>::ABI),*]);
                const MAY_REQUIRE_REALLOC: bool =
                    false $(|| <$ty as $abi::ComponentType>::MAY_REQUIRE_REALLOC)*;

                fn typecheck(ty: &$abi::InterfaceType, types: &$abi::InstanceType<'_>) -> $abi::Result<()> {
                    $abi::typecheck_record(ty, types, &[$(($wit, <$ty as $abi::ComponentType>::typecheck)),*])
                }
            }

            // SAFETY: as above.
            unsafe impl $abi::Lift for $name {
                fn linear_lift_from_flat(
                    cx: &mut $abi::LiftContext<'_>,
                    ty: $abi::InterfaceType,
                    src: &<Self as $abi::ComponentType>::Lower,
                ) -> $abi::Result<Self> {
                    let mut types = fields(&cx.types, ty);
                    $crate::__rt::Ok(Self {
                        $($field: <$ty as $abi::Lift>::linear_lift_from_flat(cx, types(), &src.$field)?,)*
                    })
                }

                #[inline]
                fn linear_lift_from_memory(
                    $cx: &mut $abi::LiftContext<'_>,
                    $interface: $abi::InterfaceType,
                    $bytes: &[u8],
                ) -> $abi::Result<Self> $lift
            }

            // SAFETY: as above.
            unsafe impl $abi::Lower for $name {
                fn linear_lower_to_flat<T_>(
                    &self,
                    cx: &mut $abi::LowerContext<'_, T_>,
                    ty: $abi::InterfaceType,
                    dst: &mut $abi::MaybeUninit<<Self as $abi::ComponentType>::Lower>,
                ) -> $abi::Result<()> {
                    use $abi::MaybeUninitExt as _;
                    let mut types = fields(cx.types, ty);
                    $($abi::Lower::linear_lower_to_flat(
                        &self.$field,
                        cx,
                        types(),
                        $abi::map_maybe_uninit!(dst.$field),
                    )?;)*
                    $crate::__rt::Ok(())
                }

                #[inline]
                fn linear_lower_to_memory<T_>(
                    &self,
                    $cx: &mut $abi::LowerContext<'_, T_>,
                    $interface: $abi::InterfaceType,
                    $offset: usize,
                ) -> $abi::Result<()> {
                    let $this = self;
                    $lower
                }

                $($list)*
            }

            $($more)*
        };
    };
}
