//! What glue in the linker does around a call of the host, and what finds exports.

use std::borrow::Cow;
use std::ops::Deref;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Func, Instance, InstancePre, Lift, Lower, WasmList, WasmStr,
};
use wasmtime::{AsContextMut, Result, StoreContextMut, bail, error::Context as _};

/// Says in an error which of the host's functions failed.
pub fn named<R>(name: &'static str, result: Result<R>) -> Result<R> {
    result.with_context(|| format!("the host failed in `{name}`"))
}

/// A parameter that is read where the component has it.
pub trait Borrowed {
    /// What it is read as.
    type View: ?Sized;

    /// The parameter, detached from the store.
    ///
    /// # Safety
    ///
    /// It must be gone before the component's memory can change: nothing but a synchronous function of the host may run
    /// until then, which has the store's data, but not the store.
    unsafe fn view<T: 'static>(&self, store: &StoreContextMut<'_, T>) -> Result<View<Self::View>>;
}

/// See [`Borrowed::view`].
pub struct View<B: ?Sized>(Held<B>);

enum Held<B: ?Sized> {
    There(*const B),
    Here(Box<B>),
}

impl<B: ?Sized> Deref for View<B> {
    type Target = B;

    fn deref(&self) -> &B {
        match &self.0 {
            // SAFETY: whoever made this says that the memory does not change meanwhile.
            Held::There(there) => unsafe { &**there },
            Held::Here(here) => here,
        }
    }
}

impl Borrowed for WasmStr {
    type View = str;

    unsafe fn view<T: 'static>(&self, store: &StoreContextMut<'_, T>) -> Result<View<str>> {
        Ok(View(match self.to_str(store)? {
            Cow::Borrowed(there) => Held::There(there),
            Cow::Owned(here) => Held::Here(here.into()),
        }))
    }
}

macro_rules! integers {
    ($($ty:ident)*) => {$(
        impl Borrowed for WasmList<$ty> {
            type View = [$ty];

            unsafe fn view<T: 'static>(&self, store: &StoreContextMut<'_, T>) -> Result<View<[$ty]>> {
                let there = self.as_le_slice(store);
                Ok(View(match cfg!(target_endian = "little") {
                    true => Held::There(there),
                    false => Held::Here(there.iter().map(|item| $ty::from_le(*item)).collect()),
                }))
            }
        }
    )*};
}

integers!(u8 i8 u16 i16 u32 i32 u64 i64);

/// Finds an exported interface, or nothing where functions are the world's own.
pub fn interface(component: &Component, name: &str) -> Result<ComponentExportIndex> {
    match component.get_export_index(None, name) {
        Some(index) => Ok(index),
        None => bail!("the component does not export the interface `{name}`"),
    }
}

/// Finds an exported function of the right type.
pub fn function<T, P, R>(
    pre: &InstancePre<T>,
    interface: Option<&ComponentExportIndex>,
    name: &str,
) -> Result<ComponentExportIndex>
where
    T: 'static,
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    match pre.component().get_export(interface, name) {
        Some((ComponentItem::ComponentFunc(function), index)) => {
            let checked = function.typecheck::<P, R>(&pre.instance_type());
            checked.with_context(|| format!("the export `{name}` has another type"))?;
            Ok(index)
        }
        _ => bail!("the component does not export the function `{name}`"),
    }
}

/// Looks for something in a component that may lack it.
pub fn if_exported<T, R>(pre: &InstancePre<T>, name: &str, find: impl FnOnce() -> Result<R>) -> Result<Option<R>> {
    pre.component().get_export_index(None, name).map(|_| find()).transpose()
}

/// Those of the functions that were found before.
pub fn load_maybe<const N: usize>(
    mut store: impl AsContextMut,
    instance: &Instance,
    found: &[Option<ComponentExportIndex>; N],
) -> Result<[Option<Func>; N]> {
    let mut functions = [None; N];
    for (function, index) in functions.iter_mut().zip(found) {
        let Some(index) = index else { continue };
        *function = instance.get_func(&mut store, index);
        if function.is_none() {
            bail!("the instance is of another component");
        }
    }
    Ok(functions)
}

/// Functions that were found before.
pub fn load<const N: usize>(
    mut store: impl AsContextMut,
    instance: &Instance,
    found: &[ComponentExportIndex; N],
) -> Result<[Func; N]> {
    let functions: Vec<Func> = found.iter().filter_map(|index| instance.get_func(&mut store, index)).collect();
    match functions.try_into() {
        Ok(functions) => Ok(functions),
        Err(_) => bail!("the instance is of another component"),
    }
}
