wasp_guest_rt::generate!({
    path: [],
    inline: "package my:test; world w { export run: async func(text: string) -> list<u8>; }",
    additional_type_attributes: { "my:test/types/t": [derive(Clone)] },
});

struct Component;

impl Guest for Component {
    async fn run(text: String) -> Vec<u8> {
        text.into_bytes()
    }
}

export!(Component);

fn main() {}
