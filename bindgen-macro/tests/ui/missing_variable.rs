wasp_guest_rt::generate!({
    path: [],
    inline: "package my:test; world w { export run: async func(text: string) -> list<u8>; }",
    type_section_suffix: concat!(env!("SURELY_NOT_SET"), "x"),
});

struct Component;

impl Guest for Component {
    async fn run(text: String) -> Vec<u8> {
        text.into_bytes()
    }
}

export!(Component);

fn main() {}
