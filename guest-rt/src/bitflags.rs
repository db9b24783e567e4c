//! What generated flags need, for programs that do without the `bitflags` crate.

/// Declares a set of named bits, in the syntax of the `bitflags` crate.
#[doc(hidden)]
#[macro_export]
macro_rules! __bitflags {
    (
        $(#[$attribute:meta])*
        $vis:vis struct $flags:ident: $bits:ty {
            $(
                $(#[$flag_attribute:meta])*
                const $flag:ident = $value:expr;
            )*
        }
    ) => {
        $(#[$attribute])*
        $vis struct $flags {
            bits: $bits,
        }

        impl $flags {
            $(
                $(#[$flag_attribute])*
                $vis const $flag: Self = Self { bits: $value };
            )*

            /// No flag.
            $vis const fn empty() -> Self {
                Self { bits: 0 }
            }

            /// Every flag that has a name.
            $vis const fn all() -> Self {
                Self { bits: 0 $(| $value)* }
            }

            /// These bits, named or not.
            $vis const fn from_bits_retain(bits: $bits) -> Self {
                Self { bits }
            }

            /// The bits.
            $vis const fn bits(&self) -> $bits {
                self.bits
            }

            /// Whether there is no flag.
            $vis const fn is_empty(&self) -> bool {
                self.bits == 0
            }

            /// Whether there are all flags of `other`.
            $vis const fn contains(&self, other: Self) -> bool {
                self.bits & other.bits == other.bits
            }
        }

        impl ::core::ops::BitOr for $flags {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self { bits: self.bits | other.bits }
            }
        }

        impl ::core::ops::BitAnd for $flags {
            type Output = Self;

            fn bitand(self, other: Self) -> Self {
                Self { bits: self.bits & other.bits }
            }
        }

        impl ::core::ops::BitXor for $flags {
            type Output = Self;

            fn bitxor(self, other: Self) -> Self {
                Self { bits: self.bits ^ other.bits }
            }
        }
    };
}

pub use crate::__bitflags as bitflags;

#[cfg(test)]
mod tests {
    super::bitflags! {
        #[derive(Clone, Copy, Debug, PartialEq)]
        struct Perms: u8 {
            const READ = 1;
            const WRITE = 1 << 1;
        }
    }

    #[test]
    fn flags_without_the_crate_combine() {
        let both = Perms::READ | Perms::WRITE;
        assert_eq!(
            (both, both.bits(), both & Perms::READ, both ^ Perms::READ),
            (Perms::all(), 3, Perms::READ, Perms::WRITE)
        );
        assert!(both.contains(Perms::WRITE) && !Perms::READ.contains(Perms::WRITE) && Perms::empty().is_empty());
        assert_eq!(Perms::from_bits_retain(4).bits(), 4);
    }
}
