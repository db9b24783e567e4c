//! The pipeline.

use anyhow::Result;
use futures::stream::{self, Stream, StreamExt};
use futures::{Sink, SinkExt, sink};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::traced;

const MIB: u64 = 1 << 20;

/// What both embedders are.
trait Pipeline: Sized {
    fn new(component: &[u8]) -> wasmtime::Result<Self>;

    /// Readings are pairs of a sensor and a temperature here.
    async fn records(
        &self,
        source: impl Stream<Item = io::Result<(u32, f64)>> + Send + 'static,
        sink: impl Sink<(u32, f64), Error = io::Error> + Send + 'static,
    ) -> wasmtime::Result<()>;

    async fn bytes(
        &self,
        source: impl AsyncRead + Send + 'static,
        sink: impl AsyncWrite + Send + Unpin + 'static,
    ) -> wasmtime::Result<u64>;
}

macro_rules! embedders {
    ($($side:ident)*) => {$(
        impl Pipeline for pipeline::$side::Pipeline {
            fn new(component: &[u8]) -> wasmtime::Result<Self> {
                Self::new(component)
            }

            async fn records(
                &self,
                source: impl Stream<Item = io::Result<(u32, f64)>> + Send + 'static,
                sink: impl Sink<(u32, f64), Error = io::Error> + Send + 'static,
            ) -> wasmtime::Result<()> {
                use pipeline::$side::Reading;
                let source = source.map(|pair| pair.map(|(sensor, celsius)| Reading { sensor, celsius }));
                let sink = sink.with(async |Reading { sensor, celsius }| Ok::<_, io::Error>((sensor, celsius)));
                self.records(source, sink).await
            }

            async fn bytes(
                &self,
                source: impl AsyncRead + Send + 'static,
                sink: impl AsyncWrite + Send + Unpin + 'static,
            ) -> wasmtime::Result<u64> {
                self.bytes(source, sink).await
            }
        }
    )*};
}

embedders!(ours peer);

macro_rules! scenarios {
    ($($name:ident)*) => {
        mod ours {
            $(
                #[tokio::test]
                async fn $name() -> anyhow::Result<()> {
                    super::$name::<pipeline::ours::Pipeline>().await
                }
            )*
        }

        mod peer {
            $(
                #[tokio::test]
                async fn $name() -> anyhow::Result<()> {
                    super::$name::<pipeline::peer::Pipeline>().await
                }
            )*
        }
    };
}

scenarios! {
    a_million_records_arrive
    sixty_four_mebibytes_arrive
    a_source_with_pauses_is_passed_on_as_it_comes
    a_source_of_records_notices_that_the_sink_stops
    a_source_of_bytes_notices_that_the_sink_stops
    the_sink_is_told_of_an_error_of_a_source_of_records
    the_sink_is_told_of_an_error_of_a_source_of_bytes
}

fn pipeline<P: Pipeline>() -> Result<P> {
    static GUEST: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let build = || -> Result<_> {
        let guest = build::guests(Side::Ours, "pipeline-transform", BARE, &["--release"])?.remove(0).1;
        component::encode(&std::fs::read(guest)?, None)
    };
    let guest = GUEST.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    traced(P::new(guest.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?))
}

/// What a source or a sink has seen.
#[derive(Clone, Default)]
struct Seen(Arc<AtomicU64>);

impl Seen {
    fn add(&self, count: u64) -> u64 {
        self.0.fetch_add(count, Ordering::Relaxed) + count
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether the source or sink itself is gone.
    fn is_left(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// A sink that fails after so many readings.
fn limited(seen: &Seen, limit: u64) -> impl Sink<(u32, f64), Error = io::Error> + Send + 'static {
    sink::unfold((seen.clone(), limit), async |(seen, limit), _| match seen.add(1) <= limit {
        true => Ok((seen, limit)),
        false => Err(io::ErrorKind::StorageFull.into()),
    })
}

/// So many zeros, with an error after them or not.
struct Zeros {
    left: u64,
    fails: bool,
    seen: Seen,
}

impl AsyncRead for Zeros {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left == 0 && self.fails {
            return Poll::Ready(Err(io::Error::other("the disk is on fire")));
        }
        let count = self.left.min(into.remaining() as u64);
        into.put_slice(&vec![b'z'; count as usize]);
        self.seen.add(count);
        self.left -= count;
        Poll::Ready(Ok(()))
    }
}

/// Takes so many bytes, and checks them.
struct Checked {
    limit: u64,
    seen: Seen,
}

impl AsyncWrite for Checked {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        assert!(bytes.iter().all(|byte| *byte == b'Z'));
        Poll::Ready(match self.seen.add(bytes.len() as u64) <= self.limit {
            true => Ok(bytes.len()),
            false => Err(io::ErrorKind::StorageFull.into()),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn kind(error: &wasmtime::Error) -> Option<io::ErrorKind> {
    error.downcast_ref::<io::Error>().map(io::Error::kind)
}

async fn a_million_records_arrive<P: Pipeline>() -> Result<()> {
    let source = stream::iter((0..1_000_000).map(|n| Ok((n, if n % 10 == 0 { -300.0 } else { 1.0 }))));
    let (seen, sum) = (Seen::default(), Seen::default());
    let sink = sink::unfold((seen.clone(), sum.clone()), async |(seen, sum), (sensor, celsius)| {
        assert_eq!(celsius, 1.5);
        seen.add(1);
        sum.add(u64::from(sensor));
        Ok((seen, sum))
    });
    traced(pipeline::<P>()?.records(source, sink).await)?;
    assert_eq!(seen.count(), 900_000);
    let tens = (0..100_000_u64).map(|n| 10 * n).sum::<u64>();
    assert_eq!(sum.count(), (0..1_000_000_u64).sum::<u64>() - tens);
    Ok(())
}

async fn sixty_four_mebibytes_arrive<P: Pipeline>() -> Result<()> {
    let (from, to) = (Seen::default(), Seen::default());
    let source = Zeros { left: 64 * MIB, fails: false, seen: from.clone() };
    let sink = Checked { limit: u64::MAX, seen: to.clone() };
    assert_eq!(traced(pipeline::<P>()?.bytes(source, sink).await)?, 64 * MIB);
    assert_eq!((from.count(), to.count()), (64 * MIB, 64 * MIB));
    Ok(())
}

async fn a_source_with_pauses_is_passed_on_as_it_comes<P: Pipeline>() -> Result<()> {
    let (send, source) = futures::channel::mpsc::unbounded();
    let (sink, mut received) = futures::channel::mpsc::unbounded();
    let (pipeline, sink) = (pipeline::<P>()?, sink.sink_map_err(io::Error::other));
    let run = async { traced(pipeline.records(source, sink).await) };
    let feed = async {
        for n in 0..20 {
            send.unbounded_send(Ok((n, 20.0)))?;
            assert_eq!(received.next().await, Some((n, 20.5)));
        }
        drop(send);
        assert_eq!(received.next().await, None);
        Ok(())
    };
    futures::try_join!(run, feed)?;
    Ok(())
}

async fn a_source_of_records_notices_that_the_sink_stops<P: Pipeline>() -> Result<()> {
    let (from, to) = (Seen::default(), Seen::default());
    let counted = from.clone();
    let source = stream::iter((0..1_000_000).map(|n| Ok((n, 0.0)))).inspect(move |_| {
        counted.add(1);
    });
    let error = pipeline::<P>()?.records(source, limited(&to, 1000)).await.unwrap_err();
    assert_eq!(kind(&error), Some(io::ErrorKind::StorageFull));
    assert!(from.is_left() && to.is_left());
    assert!(from.count() < 100_000, "{} were asked for", from.count());
    Ok(())
}

async fn a_source_of_bytes_notices_that_the_sink_stops<P: Pipeline>() -> Result<()> {
    let (from, to) = (Seen::default(), Seen::default());
    let source = Zeros { left: 64 * MIB, fails: false, seen: from.clone() };
    let sink = Checked { limit: MIB, seen: to.clone() };
    let error = pipeline::<P>()?.bytes(source, sink).await.unwrap_err();
    assert_eq!(kind(&error), Some(io::ErrorKind::StorageFull));
    assert!(from.is_left() && to.is_left());
    assert!(from.count() < 8 * MIB, "{} were asked for", from.count());
    Ok(())
}

async fn the_sink_is_told_of_an_error_of_a_source_of_records<P: Pipeline>() -> Result<()> {
    let source = stream::iter((0..5000).map(|n| match n {
        3000 => Err(io::Error::other("the cable is cut")),
        _ => Ok((n, 0.0)),
    }));
    let to = Seen::default();
    let error = pipeline::<P>()?.records(source, limited(&to, 1_000_000)).await.unwrap_err();
    assert_eq!(error.to_string(), "the source failed: the cable is cut");
    assert_eq!(to.count(), 3000);
    Ok(())
}

async fn the_sink_is_told_of_an_error_of_a_source_of_bytes<P: Pipeline>() -> Result<()> {
    let to = Seen::default();
    let source = Zeros { left: MIB, fails: true, seen: Seen::default() };
    let error = pipeline::<P>()?.bytes(source, Checked { limit: u64::MAX, seen: to.clone() }).await.unwrap_err();
    assert_eq!(error.to_string(), "the source failed: the disk is on fire");
    assert_eq!(to.count(), MIB);
    Ok(())
}
