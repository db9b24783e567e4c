//! Lists of a fixed length whose items own something.

// What the peer's generated code calls its runtime: this is built with either.
extern crate wasp_guest_rt as wit_bindgen;

wasp_guest_rt::generate!({
    inline: "
        package wasp:arrays;

        world arrays {
            import partner: interface {
                swap: func(names: list<string, 2>) -> list<string, 2>;
            }
            export swap: func(names: list<string, 2>) -> list<string, 2>;
            export swap-async: async func(names: list<string, 2>) -> list<string, 2>;
        }
    ",
});

struct Arrays;

export!(Arrays);

impl Guest for Arrays {
    fn swap([first, second]: [String; 2]) -> [String; 2] {
        partner::swap([first, second])
    }

    async fn swap_async([first, second]: [String; 2]) -> [String; 2] {
        [second, first]
    }
}
