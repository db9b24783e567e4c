//! The host over `bindgen!`.

use super::rounds::{self, same};
use super::values;
use anyhow::Result;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime::component::{
    Accessor, Component, FutureConsumer, FutureReader, HasSelf, Linker, Resource, ResourceTable, Source,
    StreamConsumer, StreamReader, StreamResult,
};
use wasmtime::{Store, StoreContextMut};
use wasp::matrix::host_side;
use wasp::matrix::types::{self, Color, Everything, Many, Perms, Point, Scalars, Shape};
use wasp_tests::engine::{engine, store, traced};

wasmtime::component::bindgen!({
    path: "guests/matrix/matrix.wit",
    world: "matrix",
    exports: { default: async },
    additional_derives: [Clone],
    with: { "wasp:matrix/host-side.cell": Cell },
});

crate::make!();

#[derive(Default)]
pub(crate) struct Data {
    table: ResourceTable,
}

/// What is behind the host's resource.
#[allow(unreachable_pub, reason = "the macro asks for it")]
pub struct Cell(Everything);

impl types::Host for Data {}

impl host_side::Host for Data {
    fn echo(&mut self, v: Everything) -> Everything {
        v
    }

    fn flat(
        &mut self,
        a: bool,
        b: i8,
        c: u16,
        d: i64,
        e: f32,
        f: f64,
        g: char,
        h: String,
    ) -> (bool, i8, u16, i64, f32, f64, char, String) {
        (a, b, c, d, e, f, g, h)
    }
}

impl host_side::HostCell for Data {
    fn new(&mut self, v: Everything) -> Resource<Cell> {
        self.table.push(Cell(v)).expect("there is room")
    }

    fn get(&mut self, cell: Resource<Cell>) -> Everything {
        self.table.get(&cell).expect("it is there").0.clone()
    }

    fn swap(&mut self, cell: Resource<Cell>, v: Everything) -> Everything {
        std::mem::replace(&mut self.table.get_mut(&cell).expect("it is there").0, v)
    }

    fn other(&mut self, a: Resource<Cell>, b: Resource<Cell>) -> Resource<Cell> {
        let mut first = self.table.delete(a).expect("it is ours");
        let second = self.table.get_mut(&b).expect("it is borrowed");
        std::mem::swap(&mut first.0, &mut second.0);
        self.table.push(first).expect("there is room")
    }

    fn drop(&mut self, cell: Resource<Cell>) -> wasmtime::Result<()> {
        self.table.delete(cell)?;
        Ok(())
    }
}

impl<T: Send> host_side::HostWithStore<T> for HasSelf<Data> {
    async fn echo_later(_: &Accessor<T, Self>, v: Everything) -> Everything {
        tokio::task::yield_now().await;
        v
    }

    async fn items(_: &Accessor<T, Self>, s: StreamReader<Everything>) -> StreamReader<Everything> {
        s
    }

    async fn bytes(_: &Accessor<T, Self>, s: StreamReader<u8>) -> StreamReader<u8> {
        s
    }

    async fn value(_: &Accessor<T, Self>, f: FutureReader<Everything>) -> FutureReader<Everything> {
        f
    }
}

/// Reads all items, or the one value.
struct Collect<T>(Vec<T>, Option<oneshot::Sender<Vec<T>>>);

impl<T> Unpin for Collect<T> {}

impl<D, T: wasmtime::component::Lift + Send + 'static> StreamConsumer<D> for Collect<T> {
    type Item = T;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<D>,
        mut source: Source<'_, T>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let count = source.remaining(&mut store);
        self.0.reserve(count);
        source.read(store, &mut self.0)?;
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl<D, T: wasmtime::component::Lift + Send + 'static> FutureConsumer<D> for Collect<T> {
    type Item = T;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<D>,
        mut source: Source<'_, T>,
        _: bool,
    ) -> Poll<wasmtime::Result<()>> {
        self.0.reserve(1);
        source.read(store, &mut self.0)?;
        Poll::Ready(Ok(()))
    }
}

impl<T> Drop for Collect<T> {
    fn drop(&mut self) {
        if let Some(told) = self.1.take() {
            // Nobody waits for it when the test has failed.
            _ = told.send(std::mem::take(&mut self.0));
        }
    }
}

fn collect<T>() -> (Collect<T>, oneshot::Receiver<Vec<T>>) {
    let (told, all) = oneshot::channel();
    (Collect(Vec::new(), Some(told)), all)
}

pub(crate) struct Host {
    store: Store<Data>,
    matrix: Matrix,
}

impl rounds::Host for Host {
    async fn new(component: &Component) -> Result<Self> {
        let mut linker = Linker::new(engine());
        traced(Matrix::add_to_linker::<Data, HasSelf<Data>>(&mut linker, |data| data))?;
        let mut store = store(Data::default());
        let matrix = traced(Matrix::instantiate_async(&mut store, component, &linker).await)?;
        Ok(Host { store, matrix })
    }

    async fn round(&mut self, one: &values::Value, other: &values::Value) -> Result<()> {
        let (a, b) = (make(one), make(other));
        let (guest, store) = (self.matrix.wasp_matrix_guest_side(), &mut self.store);
        same("echo", &traced(guest.call_echo(&mut *store, &a).await)?, &a)?;
        let Scalars { a: flag, b: tiny, e: small, h: big, j: float, k: double, l: letter, .. } = a.scalars;
        let flat = guest.call_flat(&mut *store, flag, tiny, small, big, float, double, letter, &a.text).await;
        same("flat", &traced(flat)?, &(flag, tiny, small, big, float, double, letter, a.text.clone()))?;
        let through = traced(guest.call_via_cell(&mut *store, &a, &b).await)?;
        same("via-cell", &through, &vec![a.clone(), b.clone(), b.clone(), a.clone()])?;

        let cells = guest.cell();
        let cell = traced(cells.call_constructor(&mut *store, &a).await)?;
        same("cell.swap", &traced(cells.call_swap(&mut *store, cell, &b).await)?, &a)?;
        let second = traced(cells.call_constructor(&mut *store, &a).await)?;
        let third = traced(cells.call_other(&mut *store, second, cell).await)?;
        same("cell.get", &traced(cells.call_get(&mut *store, cell).await)?, &a)?;
        same("cell.other", &traced(cells.call_get(&mut *store, third).await)?, &b)?;
        traced(cell.resource_drop_async(&mut *store).await)?;
        traced(third.resource_drop_async(&mut *store).await)?;

        let items = traced(StreamReader::new(&mut *store, vec![a.clone(), b.clone()]))?;
        let bytes = traced(StreamReader::new(&mut *store, a.bytes.clone()))?;
        let sent = a.clone();
        let value = traced(FutureReader::new(&mut *store, async { wasmtime::error::Ok(sent) }))?;
        let later = a.clone();
        let all = store.run_concurrent(async |accessor| {
            let later = guest.call_echo_later(accessor, later).await?;
            let (consumer, all_items) = collect();
            let items = guest.call_items(accessor, items).await?;
            accessor.with(|store| items.pipe(store, consumer))?;
            let (consumer, all_bytes) = collect();
            let bytes = guest.call_bytes(accessor, bytes).await?;
            accessor.with(|store| bytes.pipe(store, consumer))?;
            let (consumer, one_value) = collect();
            let value = guest.call_value(accessor, value).await?;
            accessor.with(|store| value.pipe(store, consumer))?;
            wasmtime::error::Ok((later, all_items.await?, all_bytes.await?, one_value.await?))
        });
        let (later, items, bytes, value) = traced(traced(all.await)?)?;
        same("echo-later", &later, &a)?;
        same("items", &items, &vec![a.clone(), b])?;
        same("bytes", &bytes, &a.bytes)?;
        same("value", &value, &vec![a])
    }
}
