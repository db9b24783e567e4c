/// A guest with these imports besides `call` and these exports besides `run`.
macro_rules! scalars {
    (world: $world:literal, imports: [$($import:ident)*], exports: [$($export:ident)*]) => {
        wasp_guest_rt::generate!({ path: "../guests/size/size.wit", world: $world });

        struct Size;

        export!(Size);

        impl Guest for Size {
            async fn run(a: u32, b: u64) -> u32 {
                let sum = call(a, b).await;
                $(let sum = sum.wrapping_add($import(sum, b).await);)*
                sum
            }

            $(async fn $export(a: u32, b: u64) -> u32 {
                a ^ b as u32
            })*
        }
    };
}
