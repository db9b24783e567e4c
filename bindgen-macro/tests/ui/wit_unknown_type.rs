wasp_guest_rt::generate!({
    path: [],
    inline: r#"
        package my:test;
        world w {
            export run: async func(text: strin) -> list<u8>;
        }
    "#,
});

struct Component;

impl Guest for Component {
    async fn run(text: String) -> Vec<u8> {
        text.into_bytes()
    }
}

export!(Component);

fn main() {}
