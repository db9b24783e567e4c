//! Flags.

/// Passes flags: `flags!(Perms, u8, ["read", "write"])`, whose type has `bits` and `from_bits_retain`.
#[doc(hidden)]
#[macro_export]
macro_rules! flags {
    ($name:ident, $bits:ident, [$($wit:literal),*]) => {
        const _: () = {
            use $crate::__rt::abi as __abi;

            const COUNT: usize = [$($wit),*].len();
            /// Bytes in memory: one, two, or words.
            const SIZE: usize = if COUNT <= 8 { 1 } else if COUNT <= 16 { 2 } else { 4 * COUNT.div_ceil(32) };
            const SLOTS: usize = SIZE.div_ceil(4);
            /// What has no name is nothing, as the component model has it.
            const KNOWN: $bits = <$bits>::MAX >> (<$bits>::BITS as usize - COUNT);

            impl __abi::Plain for $name {
                const BYTES: usize = SIZE;

                #[inline(always)]
                fn load(from: &[u8]) -> __abi::Result<Self> {
                    let mut bytes = [0; <$bits>::BITS as usize / 8];
                    bytes[..SIZE].copy_from_slice(&from[..SIZE]);
                    $crate::__rt::Ok(Self::from_bits_retain(<$bits>::from_le_bytes(bytes) & KNOWN))
                }

                #[inline(always)]
                fn store(&self, to: &mut [u8]) {
                    to[..SIZE].copy_from_slice(&(self.bits() & KNOWN).to_le_bytes()[..SIZE]);
                }
            }

            // SAFETY: flags are bits in as many words as they need.
            unsafe impl __abi::ComponentType for $name {
                type Lower = [__abi::ValRaw; SLOTS];

                const ABI: __abi::CanonicalAbiInfo = __abi::CanonicalAbiInfo::flags(COUNT);
                const MAY_REQUIRE_REALLOC: bool = false;

                fn typecheck(ty: &__abi::InterfaceType, types: &__abi::InstanceType<'_>) -> __abi::Result<()> {
                    __abi::typecheck_flags(ty, types, &[$($wit),*])
                }
            }

            // SAFETY: as above.
            unsafe impl __abi::Lift for $name {
                fn linear_lift_from_flat(
                    _cx: &mut __abi::LiftContext<'_>,
                    _ty: __abi::InterfaceType,
                    src: &<Self as __abi::ComponentType>::Lower,
                ) -> __abi::Result<Self> {
                    let mut bytes = [0; 4 * SLOTS];
                    for (word, to) in src.iter().zip(bytes.chunks_exact_mut(4)) {
                        to.copy_from_slice(&word.get_u32().to_le_bytes());
                    }
                    __abi::Plain::load(&bytes)
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
                    let mut bytes = [0; 4 * SLOTS];
                    __abi::Plain::store(self, &mut bytes);
                    let mut slots = [__abi::ValRaw::u32(0); SLOTS];
                    for (slot, word) in slots.iter_mut().zip(bytes.chunks_exact(4)) {
                        *slot = __abi::ValRaw::u32(__abi::load_tag::<4>(word));
                    }
                    dst.write(slots);
                    $crate::__rt::Ok(())
                }

                #[inline]
                fn linear_lower_to_memory<T_>(
                    &self,
                    cx: &mut __abi::LowerContext<'_, T_>,
                    _ty: __abi::InterfaceType,
                    offset: usize,
                ) -> __abi::Result<()> {
                    __abi::Plain::store(self, cx.get::<SIZE>(offset));
                    $crate::__rt::Ok(())
                }
            }
        };
    };
}
