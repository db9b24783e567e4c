//! What generated code promises beside what it calls.

use wasp::promises::host;

/// The same world in two modules of one program, as two libraries have it.
mod one {
    wasp_guest_rt::generate!({ path: "../guests/promises/promises.wit", world: "wasp:promises/twice" });
}
mod two {
    wasp_guest_rt::generate!({ path: "../guests/promises/promises.wit", world: "wasp:promises/twice" });
}
/// A world whose payloads another one's are forwarded to.
mod pairs {
    wasp_guest_rt::generate!({ path: "../guests/promises/promises.wit", world: "wasp:promises/pairs" });
}

wasp_guest_rt::generate!({ path: "../guests/promises/promises.wit", world: "wasp:promises/promises" });

/// As published crates write it.
impl<T> pairs::wit_future::FuturePayload for T
where
    T: wit_future::FuturePayload,
{
    const VTABLE: &'static wasp_guest_rt::rt::async_support::FutureVtable<Self> = T::VTABLE;
}

struct Promises;

export!(Promises);

impl Drop for Report {
    fn drop(&mut self) {
        host::log(&format!("{} is dropped", self.title));
    }
}

impl Guest for Promises {
    fn report() -> Report {
        Report { title: "a report".into(), n: 1 }
    }

    fn parts() -> Vec<Part> {
        vec![Part::Nothing, Part::One(Report { title: "a part".into(), n: 2 })]
    }

    async fn twice(x: u32) -> u32 {
        one::wasp::promises::host::later(x).await + two::wasp::promises::host::later(x).await
    }

    fn forward() -> wasp_guest_rt::FutureReader<Result<u32, String>> {
        let (writer, reader) = pairs::wit_future::new(|| Ok(0));
        writer.write_and_forget(Err("forwarded".into()));
        reader
    }

    async fn forwarded() -> String {
        // Made by the other world's functions, it is one of the engine all the same: lowered, and read here in the end.
        let (writer, reader) = pairs::wit_future::new(|| Ok::<u32, String>(0));
        drop(writer);
        format!("{:?}", reader.await)
    }
}
