//! Hands everything to the host, and back again.

// What the peer's generated code calls its runtime: this is built with either.
extern crate wasp_guest_rt as wit_bindgen;

use exports::wasp::matrix::guest_side::{Cell as AnyCell, CellBorrow, Everything, Guest, GuestCell};
use std::cell::RefCell;
use wasp::matrix::host_side;
use wasp_guest_rt::{FutureReader, StreamReader, spawn_local};

wasp_guest_rt::generate!({
    path: "../guests/matrix/matrix.wit",
    world: "matrix",
    additional_derives: [Clone],
});

struct Matrix;

export!(Matrix);

impl Guest for Matrix {
    type Cell = Cell;

    fn echo(v: Everything) -> Everything {
        host_side::echo(&v)
    }

    async fn echo_later(v: Everything) -> Everything {
        host_side::echo_later(v).await
    }

    fn flat(
        a: bool,
        b: i8,
        c: u16,
        d: i64,
        e: f32,
        f: f64,
        g: char,
        h: String,
    ) -> (bool, i8, u16, i64, f32, f64, char, String) {
        host_side::flat(a, b, c, d, e, f, g, &h)
    }

    async fn items(s: StreamReader<Everything>) -> StreamReader<Everything> {
        let mut back = host_side::items(s).await;
        let (mut writer, reader) = wit_stream::new();
        spawn_local(async move {
            while let Some(item) = back.next().await {
                if writer.write_one(item).await.is_some() {
                    return;
                }
            }
        });
        reader
    }

    async fn bytes(s: StreamReader<u8>) -> StreamReader<u8> {
        host_side::bytes(s).await
    }

    async fn value(f: FutureReader<Everything>) -> FutureReader<Everything> {
        let value = host_side::value(f).await.await;
        let (writer, reader) = wit_future::new(|| unreachable!("it is written"));
        spawn_local(async move {
            writer.write(value).await.ok();
        });
        reader
    }

    fn via_cell(a: Everything, b: Everything) -> Vec<Everything> {
        let cell = host_side::Cell::new(&a);
        let was = cell.swap(&b);
        let is = cell.get();
        let first = host_side::Cell::new(&a);
        let other = host_side::Cell::other(first, &cell);
        vec![was, is, other.get(), cell.get()]
    }
}

struct Cell(RefCell<Everything>);

impl GuestCell for Cell {
    fn new(v: Everything) -> Self {
        Cell(RefCell::new(v))
    }

    fn get(&self) -> Everything {
        self.0.borrow().clone()
    }

    fn swap(&self, v: Everything) -> Everything {
        self.0.replace(v)
    }

    fn other(a: AnyCell, b: CellBorrow<'_>) -> AnyCell {
        let (a, b) = (a.get::<Cell>(), b.get::<Cell>());
        a.0.swap(&b.0);
        AnyCell::new(Cell(a.0.clone()))
    }
}
