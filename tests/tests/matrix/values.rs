//! Values, of neither side, and what makes them those of one.

use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(crate) struct Scalars(pub(crate) (bool, i8, u8, i16, u16, i32), pub(crate) (u32, i64, u64, f32, f64, char));

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Nothing,
    Circle(f64),
    Polygon(Vec<(i32, i32)>),
    Named(String),
    Nested(Option<Result<u8, String>>),
}

#[derive(Clone, Debug)]
pub(crate) struct Lists {
    pub(crate) text: String,
    pub(crate) chars: Vec<char>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) numbers: Vec<i64>,
    pub(crate) floats: Vec<f32>,
    pub(crate) points: Vec<(i32, i32)>,
    pub(crate) texts: Vec<String>,
    pub(crate) lists: Vec<Vec<String>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Choices {
    pub(crate) color: u8,
    pub(crate) perms: u8,
    pub(crate) many: Vec<u16>,
    pub(crate) shape: Shape,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) maybe: Option<Option<u32>>,
    pub(crate) both: Result<u32, String>,
    pub(crate) error: Result<(), u8>,
    pub(crate) value: Result<String, ()>,
    pub(crate) neither: Result<(), ()>,
    pub(crate) pair: (u8, String, f32),
}

#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) scalars: Scalars,
    pub(crate) lists: Lists,
    pub(crate) choices: Choices,
}

fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..6).prop_map(String::from_iter)
}

fn scalars() -> impl Strategy<Value = Scalars> {
    (any::<(bool, i8, u8, i16, u16, i32)>(), any::<(u32, i64, u64, f32, f64, char)>()).prop_map(|(a, b)| Scalars(a, b))
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Nothing),
        any::<f64>().prop_map(Shape::Circle),
        vec(any::<(i32, i32)>(), 0..4).prop_map(Shape::Polygon),
        text().prop_map(Shape::Named),
        prop::option::of(prop::result::maybe_ok(any::<u8>(), text())).prop_map(Shape::Nested),
    ]
}

fn lists() -> impl Strategy<Value = Lists> {
    let first = (text(), vec(any::<char>(), 0..4), vec(any::<u8>(), 0..40), vec(any::<i64>(), 0..4));
    let second = (vec(any::<f32>(), 0..4), vec(any::<(i32, i32)>(), 0..4), vec(text(), 0..4));
    (first, second, vec(vec(text(), 0..3), 0..3)).prop_map(
        |((text, chars, bytes, numbers), (floats, points, texts), lists)| Lists {
            text,
            chars,
            bytes,
            numbers,
            floats,
            points,
            texts,
            lists,
        },
    )
}

fn choices() -> impl Strategy<Value = Choices> {
    let first = (0..3_u8, 0..8_u8, vec(0..4096_u16, 0..4), shape(), vec(shape(), 0..4));
    let second = (any::<Option<Option<u32>>>(), prop::result::maybe_ok(any::<u32>(), text()));
    let third = (prop::result::maybe_ok(Just(()), 0..3_u8), prop::result::maybe_ok(text(), Just(())));
    let fourth = (any::<bool>(), (any::<u8>(), text(), any::<f32>()));
    (first, second, third, fourth).prop_map(
        |((color, perms, many, shape, shapes), (maybe, both), (error, value), (neither, pair))| Choices {
            color,
            perms,
            many,
            shape,
            shapes,
            maybe,
            both,
            error,
            value,
            neither: if neither { Ok(()) } else { Err(()) },
            pair,
        },
    )
}

/// Any value.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    (scalars(), lists(), choices()).prop_map(|(scalars, lists, choices)| Value { scalars, lists, choices })
}

/// Defines `make`, which makes a value that of the types here.
#[macro_export]
macro_rules! make {
    () => {
        fn point((x, y): (i32, i32)) -> Point {
            Point { x, y }
        }

        fn color(index: u8) -> Color {
            [Color::Red, Color::Green, Color::Blue][usize::from(index)]
        }

        fn perms(bits: u8) -> Perms {
            let all = [Perms::READ, Perms::WRITE, Perms::EXEC];
            (0..).zip(all).filter(|(bit, _)| bits >> bit & 1 == 1).fold(Perms::empty(), |sum, (_, flag)| sum | flag)
        }

        fn many(bits: u16) -> Many {
            let all = [
                Many::A,
                Many::B,
                Many::C,
                Many::D,
                Many::E,
                Many::F,
                Many::G,
                Many::H,
                Many::I,
                Many::J,
                Many::K,
                Many::L,
            ];
            (0..).zip(all).filter(|(bit, _)| bits >> bit & 1 == 1).fold(Many::empty(), |sum, (_, flag)| sum | flag)
        }

        fn shape(shape: values::Shape) -> Shape {
            match shape {
                values::Shape::Nothing => Shape::Nothing,
                values::Shape::Circle(radius) => Shape::Circle(radius),
                values::Shape::Polygon(points) => Shape::Polygon(points.into_iter().map(point).collect()),
                values::Shape::Named(name) => Shape::Named(name),
                values::Shape::Nested(inner) => Shape::Nested(inner),
            }
        }

        pub(super) fn make(value: &values::Value) -> Everything {
            let values::Value { scalars, lists, choices } = value.clone();
            let values::Scalars((a, b, c, d, e, f), (g, h, i, j, k, l)) = scalars;
            Everything {
                scalars: Scalars { a, b, c, d, e, f, g, h, i, j, k, l },
                text: lists.text,
                chars: lists.chars,
                bytes: lists.bytes,
                numbers: lists.numbers,
                floats: lists.floats,
                points: lists.points.into_iter().map(point).collect(),
                texts: lists.texts,
                lists: lists.lists,
                color: color(choices.color),
                perms: perms(choices.perms),
                many: choices.many.into_iter().map(many).collect(),
                shape: shape(choices.shape),
                shapes: choices.shapes.into_iter().map(shape).collect(),
                maybe: choices.maybe,
                both: choices.both,
                error: choices.error.map_err(color),
                value: choices.value,
                neither: choices.neither,
                pair: choices.pair,
            }
        }
    };
}
