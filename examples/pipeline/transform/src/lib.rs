//! A transformation of streams, piece by piece as they come.

use wasp_guest_rt::{FutureReader, ResultStream, StreamReader, StreamWriter, spawn_local};

wasp_guest_rt::generate!({ path: "../wit" });

const ABSOLUTE_ZERO: f64 = -273.15;

struct Transform;

export!(Transform);

type Ended = FutureReader<Result<(), String>>;

impl Guest for Transform {
    async fn records(readings: StreamReader<Reading>, ended: Ended) -> (StreamReader<Reading>, Ended) {
        let (corrected, output) = wit_stream::new();
        let (told, result) = wit_future::new(|| Ok(()));
        let input = ResultStream::from((readings, ended));
        spawn_local(async move {
            let correct = |readings: &mut Vec<Reading>| {
                readings.retain(|reading| reading.celsius >= ABSOLUTE_ZERO);
                readings.iter_mut().for_each(|reading| reading.celsius += 0.5);
            };
            told.write_and_forget(change(input, corrected, correct).await);
        });
        (output, result)
    }

    async fn bytes(text: StreamReader<u8>, ended: Ended) -> (StreamReader<u8>, Ended) {
        let (shouted, output) = wit_stream::new();
        let (told, result) = wit_future::new(|| Ok(()));
        let input = ResultStream::from((text, ended));
        spawn_local(async move {
            let shout = |text: &mut Vec<u8>| text.make_ascii_uppercase();
            told.write_and_forget(change(input, shouted, shout).await);
        });
        (output, result)
    }
}

/// Passes on what is there, changed, until nothing more comes or nobody reads any more.
async fn change<T>(
    mut from: ResultStream<T, (), String>,
    mut to: StreamWriter<T>,
    change: impl Fn(&mut Vec<T>),
) -> Result<(), String> {
    while let Some(mut items) = from.next_chunk().await? {
        change(&mut items);
        if !to.write_all(items).await.is_empty() {
            break;
        }
    }
    Ok(())
}
