//! Hands everything that the host passes to the host, and back again.

use exports::wasp::hosted::kinds::{
    self as exported, Color, Errno, Guest as Kinds, Perms, Person, Point, Scalars, Shape,
};
use wasp::hosted::kinds as imported;

wasp_guest_rt::generate!({ path: "../guests/host/host.wit", world: "hosted" });

struct Hosted;

export!(Hosted);

fn inward(point: imported::Point) -> Point {
    Point { x: point.x, y: point.y }
}

fn outward(point: Point) -> imported::Point {
    imported::Point { x: point.x, y: point.y }
}

fn person_in(person: imported::Person) -> Person {
    Person { name: person.name, tags: person.tags, at: person.at.map(inward) }
}

fn person_out(person: Person) -> imported::Person {
    imported::Person { name: person.name, tags: person.tags, at: person.at.map(outward) }
}

impl Guest for Hosted {
    async fn run(name: String) -> String {
        log(&format!("running {name}"));
        let person = imported::Person { name, tags: Vec::new(), at: None };
        let (first, second) = futures::join!(imported::later(person.clone(), 2), imported::later(person, 1));
        format!("{first:?} {second:?}")
    }

    fn check() -> u32 {
        7
    }
}

impl Kinds for Hosted {
    fn scalars_of(v: Scalars) -> Scalars {
        let Scalars { a, b, c, d, e, f, g, h, i, j, k, l } = v;
        let imported::Scalars { a, b, c, d, e, f, g, h, i, j, k, l } =
            imported::scalars_of(imported::Scalars { a, b, c, d, e, f, g, h, i, j, k, l });
        Scalars { a, b, c, d, e, f, g, h, i, j, k, l }
    }

    fn person_of(v: Person) -> Person {
        person_in(imported::person_of(&person_out(v)))
    }

    fn shape_of(v: Shape) -> Shape {
        let shape = match v {
            Shape::Nothing => imported::Shape::Nothing,
            Shape::Circle(radius) => imported::Shape::Circle(radius),
            Shape::Polygon(points) => imported::Shape::Polygon(points.into_iter().map(outward).collect()),
            Shape::Named(person) => imported::Shape::Named(person_out(person)),
        };
        match imported::shape_of(&shape) {
            imported::Shape::Nothing => Shape::Nothing,
            imported::Shape::Circle(radius) => Shape::Circle(radius),
            imported::Shape::Polygon(points) => Shape::Polygon(points.into_iter().map(inward).collect()),
            imported::Shape::Named(person) => Shape::Named(person_in(person)),
        }
    }

    fn color_of(v: Color) -> Color {
        let color = match v {
            Color::Red => imported::Color::Red,
            Color::Green => imported::Color::Green,
            Color::Blue => imported::Color::Blue,
        };
        match imported::color_of(color) {
            imported::Color::Red => Color::Red,
            imported::Color::Green => Color::Green,
            imported::Color::Blue => Color::Blue,
        }
    }

    fn perms_of(v: Perms) -> Perms {
        Perms::from_bits_retain(imported::perms_of(imported::Perms::from_bits_retain(v.bits())).bits())
    }

    fn points_of(v: Vec<Point>) -> Vec<Point> {
        let points: Vec<_> = v.into_iter().map(outward).collect();
        imported::points_of(&points).into_iter().map(inward).collect()
    }

    fn tuple_of(v: (u8, String, f32)) -> (u8, String, f32) {
        imported::tuple_of((v.0, &v.1, v.2))
    }

    fn open(path: String) -> Result<u32, Errno> {
        imported::open(&path).map_err(|errno| match errno {
            imported::Errno::NotFound => Errno::NotFound,
            imported::Errno::Denied => Errno::Denied,
        })
    }

    fn sum(items: Vec<u64>) -> u64 {
        imported::sum(&items)
    }

    fn many(
        a: u8,
        b: u16,
        c: u32,
        d: u64,
        e: String,
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
        s: String,
    ) -> String {
        imported::many(a, b, c, d, &e, f, g, h, i, j, k, l, m, n, o, p, q, r, &s)
    }

    async fn later(person: Person, times: u32) -> Result<String, exported::Errno> {
        imported::later(person_out(person), times).await.map_err(|errno| match errno {
            imported::Errno::NotFound => Errno::NotFound,
            imported::Errno::Denied => Errno::Denied,
        })
    }
}
