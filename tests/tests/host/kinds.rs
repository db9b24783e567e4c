//! Values of every kind, in functions of every form.

use anyhow::Result;
use std::time::Duration;
use wasmtime::Store;
use wasmtime::component::{Component, Linker};
use wasp::hosted::kinds::{self, Color, Errno, Perms, Person, Point, Scalars, Shape};
use wasp_host_rt::Cx;
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::{engine, store, traced};

wasp_host_rt::generate!({ path: "guests/host/host.wit", world: "hosted" });

#[derive(Default)]
struct Data {
    host: Host,
}

#[derive(Default)]
struct Host {
    logged: Vec<String>,
    calls: u32,
}

impl HostedImports for Host {
    fn log(&mut self, text: &str) {
        self.logged.push(text.to_string());
    }
}

impl kinds::Host for Host {
    fn scalars_of(&mut self, v: Scalars) -> Scalars {
        v
    }

    fn person_of(&mut self, v: Person) -> Person {
        v
    }

    fn shape_of(&mut self, v: Shape) -> Shape {
        v
    }

    fn color_of(&mut self, v: Color) -> Color {
        v
    }

    fn perms_of(&mut self, v: Perms) -> Perms {
        v
    }

    fn points_of(&mut self, v: Vec<Point>) -> Vec<Point> {
        v
    }

    fn tuple_of(&mut self, v: (u8, String, f32)) -> (u8, String, f32) {
        v
    }

    fn open(&mut self, path: &str) -> Result<u32, Errno> {
        if path == "there" { Ok(1) } else { Err(Errno::NotFound) }
    }

    fn sum(&mut self, items: &[u64]) -> u64 {
        items.iter().sum()
    }

    fn many(
        &mut self,
        a: u8,
        b: u16,
        c: u32,
        d: u64,
        e: &str,
        f: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
        o: u8,
        p: u8,
        q: u8,
        r: u8,
        s: &str,
    ) -> String {
        format!("{a} {b} {c} {d} {e} {f} {g} {h} {i} {j} {k} {l} {m} {n} {o} {p} {q} {r} {s}")
    }

    async fn later(cx: Cx<'_, Self>, person: Person, times: u32) -> Result<String, Errno> {
        for _ in 0..times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let call = cx.with(|host| {
            host.calls += 1;
            host.calls
        });
        if person.name.is_empty() { Err(Errno::Denied) } else { Ok(format!("{} {call}", person.name)) }
    }
}

fn parts() -> Result<(Component, Linker<Data>)> {
    let guest = build::guests(Side::Ours, "wasp-test-guests", BARE, &["--example", "hosted"])?.remove(0).1;
    let component = component::encode(&std::fs::read(guest)?, None)?;
    let component = traced(Component::new(engine(), component))?;
    let mut linker = Linker::new(engine());
    traced(Hosted::add_to_linker(&mut linker, |data: &mut Data| &mut data.host))?;
    Ok((component, linker))
}

async fn instance() -> Result<(Store<Data>, Hosted)> {
    let (component, linker) = parts()?;
    let mut store = store(Data::default());
    let hosted = traced(Hosted::instantiate_async(&mut store, &component, &linker).await)?;
    Ok((store, hosted))
}

fn person(name: &str) -> Person {
    Person { name: name.into(), tags: vec!["a".into(), "b".into()], at: Some(Point { x: -1, y: 2 }) }
}

#[test]
fn what_may_wait_is_not_instantiated_without() -> Result<()> {
    let (component, linker) = parts()?;
    let refused = Hosted::instantiate(store(Data::default()), &component, &linker).err();
    assert!(refused.is_some_and(|error| error.to_string().contains("`*_async` functions")));
    Ok(())
}

#[tokio::test]
async fn values_travel_there_and_back() -> Result<()> {
    let (mut store, hosted) = instance().await?;
    let kinds = hosted.wasp_hosted_kinds().clone();
    let scalars = Scalars { a: true, b: -1, c: 2, d: -3, e: 4, f: -5, g: 6, h: -7, i: 8, j: 0.5, k: 0.25, l: 'ß' };
    let back = traced(kinds.scalars_of(&mut store, scalars).await)?;
    assert_eq!(format!("{back:?}"), format!("{scalars:?}"));
    let back = traced(kinds.person_of(&mut store, &person("p")).await)?;
    assert_eq!(format!("{back:?}"), format!("{:?}", person("p")));
    let points: Vec<_> = (0..1000).map(|i| Point { x: i, y: -i }).collect();
    let shapes = [Shape::Nothing, Shape::Circle(1.5), Shape::Polygon(points.clone()), Shape::Named(person("q"))];
    for shape in shapes {
        let back = traced(kinds.shape_of(&mut store, &shape).await)?;
        assert_eq!(format!("{back:?}"), format!("{shape:?}"));
    }
    assert_eq!(traced(kinds.color_of(&mut store, Color::Blue).await)?, Color::Blue);
    let perms = Perms::READ | Perms::EXEC;
    assert_eq!(traced(kinds.perms_of(&mut store, perms).await)?, perms);
    let back = traced(kinds.points_of(&mut store, &points).await)?;
    assert_eq!(format!("{back:?}"), format!("{points:?}"));
    assert_eq!(traced(kinds.tuple_of(&mut store, (1, "two", 3.0)).await)?, (1, "two".to_string(), 3.0));
    assert_eq!(traced(kinds.open(&mut store, "there").await)?.unwrap(), 1);
    assert_eq!(traced(kinds.open(&mut store, "elsewhere").await)?.unwrap_err(), Errno::NotFound);
    assert_eq!(traced(kinds.sum(&mut store, &[1, 2, u64::MAX - 3]).await)?, u64::MAX);
    Ok(())
}

#[tokio::test]
async fn long_parameter_lists_are_passed() -> Result<()> {
    let (mut store, hosted) = instance().await?;
    let kinds = hosted.wasp_hosted_kinds();
    let all = kinds.many(&mut store, 1, 2, 3, 4, "5", 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, "19").await;
    assert_eq!(traced(all)?, (1..20).map(|i| i.to_string()).collect::<Vec<_>>().join(" "));
    Ok(())
}

#[tokio::test]
async fn async_functions_run_together() -> Result<()> {
    let (mut store, hosted) = instance().await?;
    assert_eq!(traced(hosted.run(&mut store, "me").await)?, "Ok(\"me 2\") Ok(\"me 1\")");
    assert_eq!(store.data().host.logged, ["running me"]);
    let kinds = hosted.wasp_hosted_kinds();
    let both = store
        .run_concurrent(async |accessor| {
            futures::join!(
                kinds.later_concurrent(accessor, person("x"), 3),
                kinds.later_concurrent(accessor, person(""), 1)
            )
        })
        .await;
    let (first, second) = traced(both)?;
    assert_eq!(traced(first)?.unwrap(), "x 4");
    assert_eq!(traced(second)?.unwrap_err(), Errno::Denied);
    #[expect(deprecated, reason = "deprecations are carried over")]
    let check = hosted.check(&mut store).await;
    assert_eq!(traced(check)?, 7);
    Ok(())
}
