//! The host of plugins.

use anyhow::{Context, Result};
use futures::future::join_all;
use plugin_host::{Failure, Limits, Log, Report, Storage};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::traced;

const LIMITS: Limits = Limits { fuel: 100_000_000, time: Duration::from_secs(5), memory: 16 << 20, answer: 1 << 20 };

/// What both embedders are.
trait Plugins: Clone + Send + Sync + Sized + 'static {
    fn new(limits: Limits, log: Log, storage: Storage) -> wasmtime::Result<Self>;

    async fn load(&self, name: &str, component: &[u8]) -> wasmtime::Result<()>;

    fn call(&self, name: &str, text: &str) -> impl Future<Output = Result<String, Report>> + Send;
}

macro_rules! embedders {
    ($($side:ident)*) => {$(
        impl Plugins for plugin_host::$side::Plugins {
            fn new(limits: Limits, log: Log, storage: Storage) -> wasmtime::Result<Self> {
                Self::new(limits, log, storage)
            }

            async fn load(&self, name: &str, component: &[u8]) -> wasmtime::Result<()> {
                self.load(name, component).await
            }

            async fn call(&self, name: &str, text: &str) -> Result<String, Report> {
                self.call(name, text).await
            }
        }
    )*};
}

embedders!(ours peer);

macro_rules! scenarios {
    ($($name:ident)*) => {
        mod ours {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() -> anyhow::Result<()> {
                    super::$name::<plugin_host::ours::Plugins>().await
                }
            )*
        }

        mod peer {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() -> anyhow::Result<()> {
                    super::$name::<plugin_host::peer::Plugins>().await
                }
            )*
        }
    };
}

scenarios! {
    texts_are_transformed
    a_hundred_calls_run_at_a_time_in_one_instance
    a_plugin_that_computes_for_ever_runs_out_of_fuel
    a_plugin_that_waits_for_ever_runs_out_of_time
    a_trap_is_reported_and_the_instance_replaced
    an_answer_that_is_too_long_is_refused
    a_plugin_is_replaced_while_it_runs
}

struct Test<P> {
    plugins: P,
    log: Log,
    storage: Storage,
}

impl<P: Plugins> Test<P> {
    async fn new(limits: Limits) -> Result<Self> {
        let (log, storage) = (Log::default(), Storage::default());
        let plugins = traced(P::new(limits, log.clone(), storage.clone()))?;
        for name in ["shout", "reverse", "rogue"] {
            traced(plugins.load(name, guest(name)?).await)?;
        }
        Ok(Self { plugins, log, storage })
    }

    /// Why a call fails.
    async fn failure(&self, text: &str) -> Failure {
        let report = self.plugins.call("rogue", text).await.expect_err("it misbehaves");
        assert_eq!(report.plugin, "rogue");
        report.failure
    }

    /// The plugin that was stopped answers again, and so do the others.
    async fn goes_on(&self) -> Result<()> {
        assert_eq!(self.plugins.call("rogue", "answer 3").await.as_deref(), Ok("xxx"));
        assert_eq!(self.plugins.call("shout", "hello").await.as_deref(), Ok("HELLO"));
        self.nothing_is_left().await
    }

    /// There are as many instances as there are plugins: every one has the storage, and so do the host and this test.
    async fn nothing_is_left(&self) -> Result<()> {
        let only_three = async {
            while Arc::strong_count(&self.storage) > 3 + 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(LIMITS.time, only_three).await.context("instances are left over")
    }

    /// Waits until the log has so many lines.
    async fn logged(&self, lines: usize) {
        while self.log.lines().len() < lines {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn spawn(&self, name: &'static str, text: String) -> tokio::task::JoinHandle<Result<String, Report>> {
        let plugins = self.plugins.clone();
        tokio::spawn(async move { plugins.call(name, &text).await })
    }
}

/// A guest as a component.
fn guest(name: &str) -> Result<&'static [u8]> {
    static GUESTS: OnceLock<Result<HashMap<String, Vec<u8>>, String>> = OnceLock::new();
    let build = || -> Result<_> {
        let all = ["--release", "-p", "plugin-reverse", "-p", "plugin-rogue"];
        let guests = build::guests(Side::Ours, "plugin-shout", BARE, &all)?;
        guests.into_iter().map(|(name, module)| Ok((name, component::encode(&std::fs::read(module)?, None)?))).collect()
    };
    let guests = GUESTS.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    let guests = guests.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(guests.get(&format!("plugin_{name}")).with_context(|| format!("there is no plugin `{name}`"))?)
}

async fn texts_are_transformed<P: Plugins>() -> Result<()> {
    let test = Test::<P>::new(LIMITS).await?;
    let key = |bucket: &str, key: &str| (bucket.to_string(), key.to_string());
    test.storage.write().await.insert(key("replacements", "world"), "everybody".into());
    assert_eq!(test.plugins.call("shout", "hello world").await.as_deref(), Ok("HELLO everybody"));
    assert_eq!(test.storage.read().await[&key("shouted", "hello world")], "HELLO everybody");
    assert_eq!(test.plugins.call("reverse", "abc").await.as_deref(), Ok("cba"));
    let refused = test.plugins.call("shout", "").await.unwrap_err();
    assert_eq!(refused.to_string(), "plugin `shout` refused: nothing to shout");
    let unknown = test.plugins.call("whisper", "").await.unwrap_err();
    assert_eq!(unknown.to_string(), "plugin `whisper` is not there");
    let said = [
        r#"shout: shouting "hello world""#,
        r#"reverse: reversing "abc""#,
        r#"shout: shouting """#,
        "shout: warning: there is nothing to shout",
    ];
    assert_eq!(test.log.lines(), said);
    Ok(())
}

async fn a_hundred_calls_run_at_a_time_in_one_instance<P: Plugins>() -> Result<()> {
    let test = Test::<P>::new(LIMITS).await?;
    // Nobody gets a word from the storage before all have asked.
    let closed = test.storage.write().await;
    let calls: Vec<_> = (0..100).map(|n| test.spawn("shout", format!("call {n}"))).collect();
    test.logged(100).await;
    drop(closed);
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await?, Ok(format!("CALL {n}")));
    }
    Ok(())
}

async fn a_plugin_that_computes_for_ever_runs_out_of_fuel<P: Plugins>() -> Result<()> {
    let test = Test::<P>::new(LIMITS).await?;
    let start = Instant::now();
    let looping = test.spawn("rogue", "loop".into());
    assert_eq!(test.plugins.call("reverse", "meanwhile").await.as_deref(), Ok("elihwnaem"));
    assert_eq!(looping.await?.unwrap_err().failure, Failure::OutOfFuel);
    assert!(start.elapsed() < LIMITS.time);
    test.goes_on().await?;
    // Fuel is for a call, and not for an instance.
    for _ in 0..50 {
        assert_eq!(test.plugins.call("rogue", "answer 1000000").await.map(|answer| answer.len()), Ok(1_000_000));
    }
    Ok(())
}

async fn a_plugin_that_waits_for_ever_runs_out_of_time<P: Plugins>() -> Result<()> {
    let test = Test::<P>::new(Limits { time: Duration::from_millis(100), ..LIMITS }).await?;
    let (first, second) = tokio::join!(test.failure("wait"), test.failure("wait"));
    assert_eq!((first, second), (Failure::OutOfTime, Failure::OutOfTime));
    test.goes_on().await
}

async fn a_trap_is_reported_and_the_instance_replaced<P: Plugins>() -> Result<()> {
    let test = Test::<P>::new(LIMITS).await?;
    // Whoever waits in the same instance is told, too.
    let waiting: Vec<_> = (0..10).map(|_| test.spawn("rogue", "wait".into())).collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let report = test.plugins.call("rogue", "trap").await.unwrap_err();
    assert_eq!(report.to_string(), "plugin `rogue` broke: wasm trap: wasm `unreachable` instruction executed");
    for waiting in join_all(waiting).await {
        assert_eq!(waiting?.unwrap_err(), report);
    }
    test.goes_on().await
}

async fn an_answer_that_is_too_long_is_refused<P: Plugins>() -> Result<()> {
    let test = Test::<P>::new(LIMITS).await?;
    assert_eq!(test.failure("answer 2000000").await, Failure::TooLong(2_000_000));
    test.goes_on().await?;
    // There is not even memory for it.
    assert!(matches!(test.failure("answer 100000000").await, Failure::Trapped(_)));
    test.goes_on().await
}

async fn a_plugin_is_replaced_while_it_runs<P: Plugins>() -> Result<()> {
    let test = Test::<P>::new(LIMITS).await?;
    let closed = test.storage.write().await;
    let old: Vec<_> = (0..10).map(|n| test.spawn("shout", format!("old {n}"))).collect();
    test.logged(10).await;
    traced(test.plugins.load("shout", guest("reverse")?).await)?;
    assert_eq!(test.plugins.call("shout", "new").await.as_deref(), Ok("wen"));
    drop(closed);
    for (n, call) in old.into_iter().enumerate() {
        assert_eq!(call.await?, Ok(format!("OLD {n}")));
    }
    assert_eq!(test.plugins.call("shout", "newer").await.as_deref(), Ok("rewen"));
    test.nothing_is_left().await
}
