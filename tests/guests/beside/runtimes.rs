//! The runtimes: what each has to call, spawn and wait with, under the same names, and the export of each.

/// The imports of all but `wasip3`, and the export.
macro_rules! bindings {
    ($runtime:ident $world:literal $($path:literal)?) => {
        mod bindings {
            $runtime::generate!({ path: "beside.wit", world: $world $(, runtime_path: $path)? });

            pub(super) struct Export;

            export!(Export);

            impl exports::wasp::beside::$runtime::Guest for Export {
                async fn run(importer: String, name: String) -> String {
                    crate::run(&importer, &name, |future| _ = super::spawn(future)).await
                }
            }
        }

        pub(crate) use bindings::wasp::beside::far::{
            answer, echo, keep, kept, later, numbers, numbers as slow_numbers, sum, take, unanswered,
        };
        pub(crate) use bindings::{wit_future, wit_stream};
    };
}

/// What is made of a spawn that gives a handle.
macro_rules! handles {
    () => {
        /// Spawns a future, and waits for its result.
        pub(crate) async fn join(future: impl Future<Output = u32> + 'static) -> Option<u32> {
            spawn(future).await
        }

        /// Spawns a future, and cancels it after some time.
        pub(crate) async fn spawn_and_cancel(future: impl Future<Output = u32> + 'static) -> Option<u32> {
            #[allow(unused_mut, reason = "the peer's needs it")]
            let mut handle = spawn(future);
            later(1, 0).await;
            handle.cancel();
            handle.await
        }
    };
}

/// The same for a spawn that gives none.
macro_rules! no_handles {
    () => {
        /// Spawns a future, and waits for its result.
        pub(crate) async fn join(future: impl Future<Output = u32> + 'static) -> Option<u32> {
            let (sender, receiver) = futures::channel::oneshot::channel();
            spawn(async move { _ = sender.send(future.await) });
            receiver.await.ok()
        }

        /// Spawns a future, and cancels it after some time.
        pub(crate) async fn spawn_and_cancel(future: impl Future<Output = u32> + 'static) -> Option<u32> {
            let (abort, registration) = futures::future::AbortHandle::new_pair();
            let (sender, receiver) = futures::channel::oneshot::channel();
            spawn(async move { _ = sender.send(futures::future::Abortable::new(future, registration).await.ok()) });
            later(1, 0).await;
            abort.abort();
            receiver.await.ok().flatten()
        }
    };
}

/// A limit in time, by means of the runtime.
macro_rules! limits {
    ($timeout:path) => {
        pub(crate) async fn limited(ms: u32, future: impl Future<Output = u32>) -> Option<u32> {
            $timeout(std::pin::pin!(future), std::pin::pin!(later(ms, 0))).await.ok()
        }
    };
    () => {
        pub(crate) async fn limited(ms: u32, future: impl Future<Output = u32>) -> Option<u32> {
            use futures::future::{Either, select};
            match select(std::pin::pin!(future), std::pin::pin!(later(ms, 0))).await {
                Either::Left((result, _)) => Some(result),
                Either::Right(_) => None,
            }
        }
    };
}

pub(crate) mod ours {
    pub(crate) use ours::{block_on, spawn_local as spawn};
    bindings!(ours "with-ours");
    handles!();
    limits!(ours::timeout);
}

pub(crate) mod another {
    pub(crate) use another::{block_on, spawn_local as spawn};
    bindings!(another "with-another");
    handles!();
    limits!(another::timeout);
}

pub(crate) mod wb57 {
    pub(crate) use wb57::spawn;
    bindings!(wb57 "with-wb57" "::wb57::rt");
    no_handles!();
    limits!();

    pub(crate) fn block_on<T: 'static>(future: impl Future<Output = T>) -> T {
        wb57::block_on(future)
    }
}

pub(crate) mod wb61 {
    pub(crate) use wb61::{block_on, spawn_local as spawn};
    bindings!(wb61 "with-wb61" "::wb61::rt");
    no_handles!();
    limits!();
}

pub(crate) mod wb63 {
    pub(crate) use wb63::{block_on, spawn_local as spawn};
    bindings!(wb63 "with-wb63" "::wb63::rt");
    handles!();
    limits!();

    pub(super) fn printed() -> u32 {
        bindings::wasp::beside::far::printed()
    }
}

/// The published bindings of WASI: what is in `far` comes from there as far as WASI has the like.
pub(crate) mod wasip3 {
    use crate::shared::CHOSEN;
    use ::wasip3::cli::{stdin, stdout};
    use ::wasip3::clocks::monotonic_clock;
    pub(crate) use ::wasip3::wit_bindgen::{StreamReader, block_on};
    pub(crate) use ::wasip3::{spawn_local as spawn, wit_stream};
    // WASI has nothing that takes a future outside of HTTP.
    pub(crate) use super::wb63::{answer, keep, kept, slow_numbers, take, unanswered, wit_future};
    handles!();
    limits!();

    pub(crate) async fn echo(value: u32) -> u32 {
        monotonic_clock::wait_until(0).await;
        value
    }

    pub(crate) async fn later(ms: u32, value: u32) -> u32 {
        monotonic_clock::wait_for(u64::from(ms) * 1_000_000).await;
        value
    }

    /// Standard output takes it all; its sum is told by the host.
    pub(crate) async fn sum(bytes: StreamReader<u8>) -> u32 {
        stdout::write_via_stream(bytes).await.map_or(0, |()| super::wb63::printed())
    }

    /// Standard input has the numbers below five.
    pub(crate) fn numbers(_: u32) -> StreamReader<u8> {
        stdin::read_via_stream().0
    }

    struct Export;

    ::wasip3::cli::command::export!(Export);

    impl ::wasip3::exports::cli::run::Guest for Export {
        async fn run() -> Result<(), ()> {
            let [importer, name] = CHOSEN.take();
            let told = crate::run(&importer, &name, |future| _ = spawn(future)).await;
            CHOSEN.set([told, String::new()]);
            Ok(())
        }
    }
}

/// What tells the export of `wasip3` what to run.
mod chosen {
    use crate::shared::CHOSEN;

    ours::generate!({ path: "beside.wit", world: "choosing" });

    struct Export;

    export!(Export);

    impl exports::wasp::beside::chosen::Guest for Export {
        fn choose(importer: String, name: String) {
            CHOSEN.set([importer, name]);
        }

        fn told() -> String {
            CHOSEN.take().into_iter().next().unwrap_or_default()
        }
    }
}
