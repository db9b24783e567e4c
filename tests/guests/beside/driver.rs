//! Calls the exports of all runtimes in one component, and cancels its calls.

use wasi::cli::run as wasip3;
use wasp::beside::{another, chosen, ours, wb57, wb61, wb63};
use wasp_guest_rt::{Either, select, yield_async};

wasp_guest_rt::generate!({ path: "beside/beside.wit", world: "driver", generate_all });

struct Driver;

export!(Driver);

impl Guest for Driver {
    async fn run(exporter: String, importer: String, name: String) -> String {
        call(&exporter, importer, name).await
    }

    async fn cancel(exporter: String, importer: String, name: String) -> bool {
        let call = core::pin::pin!(call(&exporter, importer, name));
        let timer = core::pin::pin!(async {
            for _ in 0..8 {
                yield_async().await;
            }
        });
        matches!(select(call, timer).await, Either::Right(_))
    }
}

async fn call(exporter: &str, importer: String, name: String) -> String {
    match exporter {
        "ours" => ours::run(importer, name).await,
        "another" => another::run(importer, name).await,
        "wb57" => wb57::run(importer, name).await,
        "wb61" => wb61::run(importer, name).await,
        "wb63" => wb63::run(importer, name).await,
        "wasip3" => {
            chosen::choose(&importer, &name);
            match wasip3::run().await {
                Ok(()) => chosen::told(),
                Err(()) => "failed".into(),
            }
        }
        _ => format!("there is no runtime `{exporter}`"),
    }
}
