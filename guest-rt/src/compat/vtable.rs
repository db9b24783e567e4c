//! Vtables: what `wit-bindgen` knows of a type that streams or futures carry.
//!
//! Bindings printed by that print such vtables; those of this generator have them as the constant of a payload's trait,
//! for code that forwards it to another world's. Making a pair does not go through them there.

use super::tables;
use crate::abi::{Lift, Lower, Scratch};
use crate::future::{FutureRead, FutureReader, FutureWrite, FutureWriter};
use crate::later;
use crate::payload::{FuturePayload, StreamPayload, Tables};
use crate::stream::{StreamRead, StreamReader, StreamWrite, StreamWriter};
use alloc::alloc::Layout;
use core::marker::PhantomData;

/// A type that futures carry.
///
/// `lower` moves a value into memory of the layout, as a canonical value with lists of its own; `dealloc_lists` frees
/// these, and `lift` moves it out again. The others are the intrinsics.
#[derive(Debug)]
#[expect(missing_docs, reason = "said above, or the name of an intrinsic")]
pub struct FutureVtable<T> {
    pub layout: Layout,
    pub lower: unsafe fn(value: T, dst: *mut u8),
    pub dealloc_lists: unsafe fn(dst: *mut u8),
    pub lift: unsafe fn(dst: *mut u8) -> T,
    pub start_write: unsafe extern "C" fn(future: u32, val: *const u8) -> u32,
    pub start_read: unsafe extern "C" fn(future: u32, val: *mut u8) -> u32,
    pub cancel_write: unsafe extern "C" fn(future: u32) -> u32,
    pub cancel_read: unsafe extern "C" fn(future: u32) -> u32,
    pub drop_writable: unsafe extern "C" fn(future: u32),
    pub drop_readable: unsafe extern "C" fn(future: u32),
    pub new: unsafe extern "C" fn() -> u64,
}

/// A type that streams carry, as [`FutureVtable`] has it. There is no `lift` where an item is its canonical value.
#[derive(Debug)]
#[expect(missing_docs, reason = "as for futures")]
pub struct StreamVtable<T> {
    pub layout: Layout,
    pub lower: Option<unsafe fn(value: T, dst: *mut u8)>,
    pub dealloc_lists: Option<unsafe fn(dst: *mut u8)>,
    pub lift: Option<unsafe fn(dst: *mut u8) -> T>,
    pub start_write: unsafe extern "C" fn(stream: u32, val: *const u8, amt: usize) -> u32,
    pub start_read: unsafe extern "C" fn(stream: u32, val: *mut u8, amt: usize) -> u32,
    pub cancel_write: unsafe extern "C" fn(stream: u32) -> u32,
    pub cancel_read: unsafe extern "C" fn(stream: u32) -> u32,
    pub drop_writable: unsafe extern "C" fn(stream: u32),
    pub drop_readable: unsafe extern "C" fn(stream: u32),
    pub new: unsafe extern "C" fn() -> u64,
}

/// Makes a future of a type with a vtable. Its writer sends what `default` gives if it is dropped unwritten.
///
/// # Safety
/// The functions of the vtable are those of futures of this type. Its `lower` does not use an end of the pair.
pub unsafe fn future_new<T: 'static>(
    default: fn() -> T,
    vtable: &'static FutureVtable<T>,
) -> (FutureWriter<T>, FutureReader<T>) {
    // SAFETY: the caller says the same of the vtable.
    crate::future::future_pair(unsafe { tables::future_write(vtable) }, default)
}

/// Makes a stream of a type with a vtable.
///
/// # Safety
/// The functions of the vtable are those of streams of this type. Its `lower` does not use an end of the pair.
pub unsafe fn stream_new<T: 'static>(vtable: &'static StreamVtable<T>) -> (StreamWriter<T>, StreamReader<T>) {
    // SAFETY: the caller says the same of the vtable.
    crate::stream::stream_pair(unsafe { tables::stream_write(vtable) })
}

impl<T: 'static> FutureReader<T> {
    /// Owns the readable end of a future that comes from elsewhere.
    ///
    /// # Safety
    /// The handle is one of a future of this type, nobody else owns it, and the vtable has its functions.
    #[doc(hidden)]
    pub unsafe fn new(handle: u32, vtable: &'static FutureVtable<T>) -> FutureReader<T> {
        // SAFETY: the caller says the same of the vtable.
        FutureReader::lifted(handle, unsafe { tables::future_read(vtable) })
    }
}

impl<T: 'static> StreamReader<T> {
    /// Owns the readable end of a stream that comes from elsewhere.
    ///
    /// # Safety
    /// The handle is one of a stream of this type, nobody else owns it, and the vtable has its functions.
    #[doc(hidden)]
    pub unsafe fn new(handle: u32, vtable: &'static StreamVtable<T>) -> StreamReader<T> {
        // SAFETY: the caller says the same of the vtable.
        StreamReader::lifted(handle, unsafe { tables::stream_read(vtable) })
    }
}

/// Returns the vtable of a type that futures of the world `W` carry.
pub const fn future_vtable<W, T: FuturePayload<W>>() -> &'static FutureVtable<T> {
    Own::<W, T>::FUTURE
}

/// Returns the vtable of a type that streams of the world `W` carry.
pub const fn stream_vtable<W, T: StreamPayload<W>>() -> &'static StreamVtable<T> {
    Own::<W, T>::STREAM
}

/// The vtables of `T` in the world `W`.
struct Own<W, T>(PhantomData<(W, T)>);

impl<W, T: FuturePayload<W>> Own<W, T> {
    const FUTURE: &'static FutureVtable<T> = &FutureVtable {
        layout: layout::<W, T>(),
        lower: lower::<W, T>,
        dealloc_lists: dealloc_lists::<W, T>,
        lift: lift::<W, T>,
        start_write: future::write::<W, T>,
        start_read: future::read::<W, T>,
        cancel_write: future::cancel_write::<W, T>,
        cancel_read: future::cancel_read::<W, T>,
        drop_writable: future::drop_writable::<W, T>,
        drop_readable: future::drop_readable::<W, T>,
        new: future::new::<W, T>,
    };
}

impl<W, T: StreamPayload<W>> Own<W, T> {
    const PLAIN: bool = Tables::<W, T>::UNIT || (<T as Lift<W>>::PLAIN && <T as Lower<W>>::PLAIN);

    const STREAM: &'static StreamVtable<T> = &StreamVtable {
        layout: layout::<W, T>(),
        lower: if Self::PLAIN { None } else { Some(lower::<W, T>) },
        dealloc_lists: if Self::PLAIN { None } else { Some(dealloc_lists::<W, T>) },
        lift: if Self::PLAIN { None } else { Some(lift::<W, T>) },
        start_write: stream::write::<W, T>,
        start_read: stream::read::<W, T>,
        cancel_write: stream::cancel_write::<W, T>,
        cancel_read: stream::cancel_read::<W, T>,
        drop_writable: stream::drop_writable::<W, T>,
        drop_readable: stream::drop_readable::<W, T>,
        new: stream::new::<W, T>,
    };
}

const fn layout<W, T: Lift<W>>() -> Layout {
    match Layout::from_size_align(T::SHAPE.size, T::SHAPE.align) {
        Ok(layout) => layout,
        Err(_) => panic!("no type has such a layout"),
    }
}

/// # Safety
/// There is room for the value at `to`.
unsafe fn lower<W, T: Lower<W> + 'static>(value: T, to: *mut u8) {
    let mut scratch = Scratch::owned();
    // SAFETY: there is room. What the value owned belongs to what was written, which also has memory of its own: none of
    // it is the value's or the scratch's.
    unsafe {
        value.store(to, &mut scratch);
        value.disown();
    }
    drop(scratch);
    later::drop_unused(value);
    later::settle();
}

/// # Safety
/// `lower` wrote the value, whose handles were taken and whose memory nobody uses any more.
unsafe fn dealloc_lists<W, T: Lift<W> + Lower<W>>(from: *mut u8) {
    // SAFETY: the memory is as the engine would have allocated it. The handles are not this value's.
    unsafe { T::load(from).disown() }
}

/// # Safety
/// A value that nobody else takes lies at `from`.
unsafe fn lift<W, T: Lift<W>>(from: *mut u8) -> T {
    // SAFETY: `load` asks for the same.
    unsafe { T::load(from) }
}

/// The intrinsics with the ABI of a vtable. Natively, a trap ends the program there.
macro_rules! intrinsics {
    ($module:ident: $payload:ident; $(fn $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;)*) => {
        mod $module {
            use super::$payload;

            $(
                /// # Safety
                /// As for the intrinsic.
                pub(super) unsafe extern "C" fn $name<W, T: $payload<W>>($($arg: $ty),*) $(-> $ret)? {
                    // SAFETY: the intrinsic asks for nothing else.
                    unsafe { T::$name($($arg),*) }
                }
            )*
        }
    };
}

intrinsics! { stream: StreamPayload;
    fn new() -> u64;
    fn read(reader: u32, to: *mut u8, count: usize) -> u32;
    fn write(writer: u32, from: *const u8, count: usize) -> u32;
    fn cancel_read(reader: u32) -> u32;
    fn cancel_write(writer: u32) -> u32;
    fn drop_readable(reader: u32);
    fn drop_writable(writer: u32);
}

intrinsics! { future: FuturePayload;
    fn new() -> u64;
    fn read(reader: u32, to: *mut u8) -> u32;
    fn write(writer: u32, from: *const u8) -> u32;
    fn cancel_read(reader: u32) -> u32;
    fn cancel_write(writer: u32) -> u32;
    fn drop_readable(reader: u32);
    fn drop_writable(writer: u32);
}

/// What can be done with futures of a type: implemented by references to vtables.
#[expect(missing_docs, reason = "the fields of the vtable")]
#[expect(clippy::missing_safety_doc, reason = "as for the functions of the vtable")]
#[expect(clippy::new_ret_no_self, clippy::wrong_self_convention, reason = "it is the intrinsic of this name")]
pub trait FutureOps {
    /// The type.
    type Payload;

    fn new(&mut self) -> u64;
    fn elem_layout(&mut self) -> Layout;
    unsafe fn lower(&mut self, payload: Self::Payload, dst: *mut u8);
    unsafe fn dealloc_lists(&mut self, dst: *mut u8);
    unsafe fn lift(&mut self, dst: *mut u8) -> Self::Payload;
    unsafe fn start_write(&mut self, future: u32, val: *const u8) -> u32;
    unsafe fn start_read(&mut self, future: u32, val: *mut u8) -> u32;
    unsafe fn cancel_read(&mut self, future: u32) -> u32;
    unsafe fn cancel_write(&mut self, future: u32) -> u32;
    unsafe fn drop_readable(&mut self, future: u32);
    unsafe fn drop_writable(&mut self, future: u32);
}

/// What can be done with streams of a type: implemented by references to vtables.
///
/// # Safety
/// The functions are those of streams of the type.
#[expect(missing_docs, reason = "the fields of the vtable")]
#[expect(clippy::missing_safety_doc, reason = "as for the functions of the vtable")]
#[expect(clippy::new_ret_no_self, clippy::wrong_self_convention, reason = "it is the intrinsic of this name")]
pub unsafe trait StreamOps: Clone {
    /// The type.
    type Payload: 'static;

    fn new(&mut self) -> u64;
    fn elem_layout(&self) -> Layout;
    fn native_abi_matches_canonical_abi(&self) -> bool;
    fn contains_lists(&self) -> bool;
    unsafe fn lower(&mut self, payload: Self::Payload, dst: *mut u8);
    unsafe fn dealloc_lists(&mut self, dst: *mut u8);
    unsafe fn lift(&mut self, dst: *mut u8) -> Self::Payload;
    unsafe fn start_write(&mut self, stream: u32, val: *const u8, amt: usize) -> u32;
    unsafe fn start_read(&mut self, stream: u32, val: *mut u8, amt: usize) -> u32;
    unsafe fn cancel_read(&mut self, stream: u32) -> u32;
    unsafe fn cancel_write(&mut self, stream: u32) -> u32;
    unsafe fn drop_readable(&mut self, stream: u32);
    unsafe fn drop_writable(&mut self, stream: u32);
}

/// Functions of an operations trait that are fields of the vtable.
macro_rules! forward {
    ($($name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;)*) => {
        fn new(&mut self) -> u64 {
            // SAFETY: the vtable is one of this type.
            unsafe { (self.new)() }
        }

        $(
            unsafe fn $name(&mut self, $($arg: $ty),*) $(-> $ret)? {
                // SAFETY: the function of the vtable asks for nothing else.
                unsafe { (self.$name)($($arg),*) }
            }
        )*
    };
}

impl<T> FutureOps for &FutureVtable<T> {
    type Payload = T;

    fn elem_layout(&mut self) -> Layout {
        self.layout
    }

    forward! {
        lower(payload: T, dst: *mut u8);
        dealloc_lists(dst: *mut u8);
        lift(dst: *mut u8) -> T;
        start_write(future: u32, val: *const u8) -> u32;
        start_read(future: u32, val: *mut u8) -> u32;
        cancel_read(future: u32) -> u32;
        cancel_write(future: u32) -> u32;
        drop_readable(future: u32);
        drop_writable(future: u32);
    }
}

// SAFETY: whoever makes a vtable says that its functions are those of streams of the type.
unsafe impl<T: 'static> StreamOps for &StreamVtable<T> {
    type Payload = T;

    fn elem_layout(&self) -> Layout {
        self.layout
    }

    fn native_abi_matches_canonical_abi(&self) -> bool {
        self.lift.is_none()
    }

    fn contains_lists(&self) -> bool {
        self.dealloc_lists.is_some()
    }

    unsafe fn lower(&mut self, payload: T, dst: *mut u8) {
        match self.lower {
            // SAFETY: the function of the vtable asks for nothing else.
            Some(lower) => unsafe { lower(payload, dst) },
            // SAFETY: there is room for a canonical value, which a value of this type is.
            None => unsafe { dst.cast::<T>().write(payload) },
        }
    }

    unsafe fn dealloc_lists(&mut self, dst: *mut u8) {
        if let Some(dealloc_lists) = self.dealloc_lists {
            // SAFETY: the function of the vtable asks for nothing else.
            unsafe { dealloc_lists(dst) }
        }
    }

    unsafe fn lift(&mut self, dst: *mut u8) -> T {
        match self.lift {
            // SAFETY: the function of the vtable asks for nothing else.
            Some(lift) => unsafe { lift(dst) },
            // SAFETY: a canonical value lies there, which is a value of this type.
            None => unsafe { dst.cast::<T>().read() },
        }
    }

    forward! {
        start_write(stream: u32, val: *const u8, amt: usize) -> u32;
        start_read(stream: u32, val: *mut u8, amt: usize) -> u32;
        cancel_read(stream: u32) -> u32;
        cancel_write(stream: u32) -> u32;
        drop_readable(stream: u32);
        drop_writable(stream: u32);
    }
}

/// The readable end of a future, by its operations.
pub type RawFutureReader<O> = FutureReader<<O as FutureOps>::Payload>;
/// The writable end of a future, by its operations.
pub type RawFutureWriter<O> = FutureWriter<<O as FutureOps>::Payload>;
/// A read of a future, by its operations.
pub type RawFutureRead<O> = FutureRead<<O as FutureOps>::Payload>;
/// A write of a future, by its operations.
pub type RawFutureWrite<O> = FutureWrite<<O as FutureOps>::Payload>;
/// The readable end of a stream, by its operations.
pub type RawStreamReader<O> = StreamReader<<O as StreamOps>::Payload>;
/// The writable end of a stream, by its operations.
pub type RawStreamWriter<O> = StreamWriter<<O as StreamOps>::Payload>;
/// A read of a stream, by its operations.
pub type RawStreamRead<'a, O> = StreamRead<'a, <O as StreamOps>::Payload>;
/// A write of a stream, by its operations.
pub type RawStreamWrite<'a, O> = StreamWrite<'a, <O as StreamOps>::Payload>;
