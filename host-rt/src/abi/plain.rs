//! Values whose bytes are all there is to them.

use wasmtime::{Result, format_err};

/// A value that can be read and written without knowing more of it than its type.
pub trait Plain: Sized {
    /// Its size.
    const BYTES: usize;

    /// Reads it from its bytes.
    fn load(from: &[u8]) -> Result<Self>;

    /// Writes its bytes.
    fn store(&self, to: &mut [u8]);
}

macro_rules! numbers {
    ($($ty:ident)*) => {$(
        impl Plain for $ty {
            const BYTES: usize = size_of::<$ty>();

            #[inline(always)]
            fn load(from: &[u8]) -> Result<Self> {
                let mut bytes = [0; Self::BYTES];
                bytes.copy_from_slice(from);
                Ok(Self::from_le_bytes(bytes))
            }

            #[inline(always)]
            fn store(&self, to: &mut [u8]) {
                to.copy_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}

numbers!(u8 i8 u16 i16 u32 i32 u64 i64 f32 f64);

impl Plain for bool {
    const BYTES: usize = 1;

    #[inline(always)]
    fn load(from: &[u8]) -> Result<Self> {
        Ok(from[0] != 0)
    }

    #[inline(always)]
    fn store(&self, to: &mut [u8]) {
        to[0] = u8::from(*self);
    }
}

impl Plain for char {
    const BYTES: usize = 4;

    #[inline(always)]
    fn load(from: &[u8]) -> Result<Self> {
        let code = u32::load(from)?;
        char::from_u32(code).ok_or_else(|| format_err!("{code:#x} is no `char`"))
    }

    #[inline(always)]
    fn store(&self, to: &mut [u8]) {
        u32::from(*self).store(to);
    }
}
