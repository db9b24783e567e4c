//! Resources: the table of those that a host provides.

use std::any::Any;
use wasmtime::component::Resource;
use wasmtime::{Result, bail};

/// A component's handle to a resource of the host, as it comes and goes in parameters and results.
pub type Res<R> = Resource<R>;

/// A host with resources: bindings find their table here.
pub trait HasResources {
    /// The table.
    fn resources(&mut self) -> &mut Resources;
}

/// The values that a host keeps for a component's handles, of all its types of resources.
///
/// ```
/// use wasp_host_rt::{Res, Resources};
///
/// let mut resources = Resources::default();
/// let handle: Res<String> = resources.push("kept".to_string());
/// assert_eq!(resources.get::<String>(&handle)?, "kept");
/// assert_eq!(resources.take::<String>(handle)?, "kept");
/// # Ok::<(), wasmtime::Error>(())
/// ```
#[derive(Default)]
pub struct Resources {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

enum Slot {
    Free,
    Kept(Box<dyn Any + Send>),
    /// A method of it is running, which has it.
    Lent,
}

/// A value that is out of the table while a method of it runs.
#[doc(hidden)]
pub struct Lent<V> {
    rep: u32,
    /// The value.
    pub value: Box<V>,
}

impl Resources {
    /// Keeps a value. The handle is to be given to the component, which owns it from then on.
    pub fn push<V: Send + 'static, R: 'static>(&mut self, value: V) -> Res<R> {
        let slot = Slot::Kept(Box::new(value));
        let rep = match self.free.pop() {
            Some(rep) => {
                self.slots[rep as usize] = slot;
                rep
            }
            None => {
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            }
        };
        Res::new_own(rep)
    }

    /// The value behind a handle.
    ///
    /// # Errors
    ///
    /// When the handle is of another table, its value of another type, or a method of it is running.
    pub fn get<V: 'static>(&self, handle: &Res<impl Sized>) -> Result<&V> {
        match self.slots.get(handle.rep() as usize) {
            Some(Slot::Kept(value)) => value.downcast_ref().map_or_else(of_another_type::<_, V>, Ok),
            slot => missing(slot),
        }
    }

    /// The value behind a handle, to change it.
    ///
    /// # Errors
    ///
    /// As for [`Resources::get`].
    pub fn get_mut<V: 'static>(&mut self, handle: &Res<impl Sized>) -> Result<&mut V> {
        match self.slots.get_mut(handle.rep() as usize) {
            Some(Slot::Kept(value)) => value.downcast_mut().map_or_else(of_another_type::<_, V>, Ok),
            slot => missing(slot.map(|slot| &*slot)),
        }
    }

    /// Takes a value back that the component has given up, by passing a handle that it owned.
    ///
    /// # Errors
    ///
    /// As for [`Resources::get`], and when the component only lends the handle.
    pub fn take<V: 'static>(&mut self, handle: Res<impl Sized>) -> Result<V> {
        if !handle.owned() {
            bail!("the component lends the resource, and keeps it");
        }
        self.get::<V>(&handle)?;
        Ok(*self.lend::<V>(handle.rep()).map(|lent| self.end(lent))?)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a value out of the table for as long as a method of it runs.
    #[doc(hidden)]
    pub fn lend<V: 'static>(&mut self, rep: u32) -> Result<Lent<V>> {
        let Some(slot @ Slot::Kept(_)) = self.slots.get_mut(rep as usize) else {
            return missing(self.slots.get(rep as usize));
        };
        let Slot::Kept(value) = std::mem::replace(slot, Slot::Lent) else {
            return missing(None);
        };
        match value.downcast() {
            Ok(value) => Ok(Lent { rep, value }),
            Err(value) => {
                *slot = Slot::Kept(value);
                of_another_type::<_, V>()
            }
        }
    }

    /// Puts a value back.
    #[doc(hidden)]
    pub fn give_back<V: Send + 'static>(&mut self, lent: Lent<V>) {
        self.slots[lent.rep as usize] = Slot::Kept(lent.value);
    }

    fn end<V>(&mut self, lent: Lent<V>) -> Box<V> {
        self.slots[lent.rep as usize] = Slot::Free;
        self.free.push(lent.rep);
        lent.value
    }

    /// The component has dropped its handle. (A value of the wrong type cannot be there but by mistake, and goes too.)
    #[doc(hidden)]
    pub fn dropped(&mut self, rep: u32) -> Result<Box<dyn Any + Send>> {
        match self.slots.get_mut(rep as usize) {
            Some(slot @ Slot::Kept(_)) => match std::mem::replace(slot, Slot::Free) {
                Slot::Kept(value) => {
                    self.free.push(rep);
                    Ok(value)
                }
                _ => missing(None),
            },
            slot => missing(slot.map(|slot| &*slot)),
        }
    }
}

#[cold]
fn missing<T>(slot: Option<&Slot>) -> Result<T> {
    match slot {
        Some(Slot::Lent) => bail!("the resource is in use: one of its methods is running"),
        _ => bail!("there is no such resource"),
    }
}

#[cold]
fn of_another_type<T, V>() -> Result<T> {
    bail!("the resource is no `{}`", std::any::type_name::<V>())
}
