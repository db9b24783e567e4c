//! The host over this project's bindings.

use super::rounds::{self, same};
use super::values;
use anyhow::Result;
use futures::StreamExt;
use wasmtime::Store;
use wasmtime::component::{Component, Linker};
use wasp::matrix::host_side::{self, HostCell};
use wasp::matrix::types::{Color, Everything, Many, Perms, Point, Scalars, Shape};
use wasp_host_rt::{Cx, HasResources, InFuture, InStream, Res, Resources};
use wasp_tests::engine::{engine, store, traced};

wasp_host_rt::generate!({ path: "guests/matrix/matrix.wit", world: "matrix", additional_derives: [Clone] });

crate::make!();

#[derive(Default)]
pub(crate) struct Data {
    resources: Resources,
}

impl HasResources for Data {
    fn resources(&mut self) -> &mut Resources {
        &mut self.resources
    }
}

impl host_side::Host for Data {
    type Cell = Cell;

    fn echo(&mut self, v: Everything) -> Everything {
        v
    }

    async fn echo_later(_: Cx<'_, Self>, v: Everything) -> Everything {
        tokio::task::yield_now().await;
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
        h: &str,
    ) -> (bool, i8, u16, i64, f32, f64, char, String) {
        (a, b, c, d, e, f, g, h.to_owned())
    }

    async fn items(_: Cx<'_, Self>, s: InStream<Everything>) -> InStream<Everything> {
        // Not as it came: read, and written again.
        InStream::new(s.map(|item| item))
    }

    async fn bytes(_: Cx<'_, Self>, s: InStream<u8>) -> InStream<u8> {
        s
    }

    async fn value(_: Cx<'_, Self>, f: InFuture<Everything>) -> InFuture<Everything> {
        f
    }
}

pub(crate) struct Cell(Everything);

impl HostCell<Data> for Cell {
    fn new(_: &mut Data, v: Everything) -> Self {
        Cell(v)
    }

    fn get(&mut self, _: &mut Data) -> Everything {
        self.0.clone()
    }

    fn swap(&mut self, _: &mut Data, v: Everything) -> Everything {
        std::mem::replace(&mut self.0, v)
    }

    fn other(host: &mut Data, a: Res<host_side::Cell>, b: Res<host_side::Cell>) -> Res<host_side::Cell> {
        let mut first = host.resources.take::<Cell>(a).expect("it is ours");
        let second = host.resources.get_mut::<Cell>(&b).expect("it is borrowed");
        std::mem::swap(&mut first.0, &mut second.0);
        host.resources.push(first)
    }
}

pub(crate) struct Host {
    store: Store<Data>,
    matrix: Matrix,
}

impl rounds::Host for Host {
    async fn new(component: &Component) -> Result<Self> {
        let mut linker = Linker::new(engine());
        traced(Matrix::add_to_linker(&mut linker, |data: &mut Data| data))?;
        let mut store = store(Data::default());
        let matrix = traced(Matrix::instantiate_async(&mut store, component, &linker).await)?;
        Ok(Host { store, matrix })
    }

    async fn round(&mut self, one: &values::Value, other: &values::Value) -> Result<()> {
        let (a, b) = (make(one), make(other));
        let (guest, store) = (self.matrix.wasp_matrix_guest_side(), &mut self.store);
        same("echo", &traced(guest.echo(&mut *store, &a).await)?, &a)?;
        same("echo-later", &traced(guest.echo_later(&mut *store, &a).await)?, &a)?;
        let Scalars { a: flag, b: tiny, e: small, h: big, j: float, k: double, l: letter, .. } = a.scalars;
        let flat = guest.flat(&mut *store, flag, tiny, small, big, float, double, letter, &a.text).await;
        same("flat", &traced(flat)?, &(flag, tiny, small, big, float, double, letter, a.text.clone()))?;
        let through = traced(guest.via_cell(&mut *store, &a, &b).await)?;
        same("via-cell", &through, &vec![a.clone(), b.clone(), b.clone(), a.clone()])?;

        let cells = guest.cell();
        let cell = traced(cells.new(&mut *store, &a).await)?;
        same("cell.swap", &traced(cells.swap(&mut *store, &cell, &b).await)?, &a)?;
        let second = traced(cells.new(&mut *store, &a).await)?;
        let third = traced(cells.other(&mut *store, second, &cell).await)?;
        same("cell.get", &traced(cells.get(&mut *store, &cell).await)?, &a)?;
        same("cell.other", &traced(cells.get(&mut *store, &third).await)?, &b)?;
        traced(cell.close(&mut *store).await)?;
        traced(third.close(&mut *store).await)?;

        let bytes = InStream::from_bytes(a.bytes.clone());
        let (items, value) = (
            InStream::from(vec![a.clone(), b.clone()]),
            InFuture::new({
                let a = a.clone();
                async { a }
            }),
        );
        let all = store.run_concurrent(async |accessor| {
            let items = guest.items_concurrent(accessor, items).await?.collect::<Vec<_>>().await;
            let bytes = guest.bytes_concurrent(accessor, bytes).await?.collect::<Vec<_>>().await;
            wasmtime::error::Ok((items, bytes, guest.value_concurrent(accessor, value).await?.await?))
        });
        let (items, bytes, value) = traced(traced(all.await)?)?;
        same("items", &items, &vec![a.clone(), b])?;
        same("bytes", &bytes, &a.bytes)?;
        same("value", &value, &a)
    }
}
