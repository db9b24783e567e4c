//! The binary format: numbers, names, and lists of declarations with their own index space.

/// Bytes with the format's encodings.
#[derive(Clone, Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

/// What a name is bound to.
#[derive(Clone, Copy)]
pub(super) enum Sort {
    Function = 0x01,
    Type = 0x03,
    Component = 0x04,
    Instance = 0x05,
}

impl Bytes {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// An unsigned LEB128 number.
    pub(super) fn u32(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    /// A type index where a primitive's negative code could stand too: a signed LEB128 number.
    pub(super) fn s33(&mut self, index: u32) {
        let mut value = u64::from(index);
        while value >= 0x40 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    /// A string with its length.
    pub(super) fn name(&mut self, name: &str) {
        self.u32(name.len() as u32);
        self.raw(name.as_bytes());
    }

    /// The name of an import or export, which has no attributes.
    pub(super) fn extern_name(&mut self, name: &str) {
        self.byte(0x00);
        self.name(name);
    }

    pub(super) fn section(&mut self, id: u8, contents: &Bytes) {
        self.byte(id);
        self.u32(contents.0.len() as u32);
        self.raw(&contents.0);
    }

    pub(super) fn custom_section(&mut self, name: &str, data: &[u8]) {
        let mut contents = Bytes::default();
        contents.name(name);
        contents.raw(data);
        self.section(0, &contents);
    }
}

/// A component type or an instance type while it is written.
pub(super) struct Declarations {
    opcode: u8,
    bytes: Bytes,
    count: u32,
    types: u32,
}

impl Declarations {
    pub(super) fn component() -> Self {
        Self::new(0x41)
    }

    pub(super) fn instance() -> Self {
        Self::new(0x42)
    }

    fn new(opcode: u8) -> Self {
        Declarations { opcode, bytes: Bytes::default(), count: 0, types: 0 }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = Bytes::default();
        out.byte(self.opcode);
        out.u32(self.count);
        out.raw(&self.bytes.0);
        out.0
    }

    fn declare(&mut self, opcode: u8) -> &mut Bytes {
        self.count += 1;
        self.bytes.byte(opcode);
        &mut self.bytes
    }

    fn new_type(&mut self) -> u32 {
        self.types += 1;
        self.types - 1
    }

    /// Declares a type: its index.
    pub(super) fn ty(&mut self, definition: &[u8]) -> u32 {
        self.declare(0x01).raw(definition);
        self.new_type()
    }

    /// Declares a name for a type, or a resource of that name: its index.
    pub(super) fn named_type(&mut self, name: &str, equal_to: Option<u32>, importing: bool) -> u32 {
        let out = self.declare(if importing { 0x03 } else { 0x04 });
        out.extern_name(name);
        out.byte(Sort::Type as u8);
        match equal_to {
            Some(index) => {
                out.byte(0x00);
                out.u32(index);
            }
            None => out.byte(0x01),
        }
        self.new_type()
    }

    pub(super) fn import(&mut self, name: &str, sort: Sort, index: u32) {
        let out = self.declare(0x03);
        out.extern_name(name);
        out.byte(sort as u8);
        out.u32(index);
    }

    pub(super) fn export(&mut self, name: &str, sort: Sort, index: u32) {
        let out = self.declare(0x04);
        out.extern_name(name);
        out.byte(sort as u8);
        out.u32(index);
    }

    /// Makes a type that an instance exports known here: its index.
    pub(super) fn alias_export(&mut self, instance: u32, name: &str) -> u32 {
        let out = self.declare(0x02);
        out.byte(Sort::Type as u8);
        out.byte(0x00);
        out.u32(instance);
        out.name(name);
        self.new_type()
    }

    /// Makes a type of the enclosing component type known here: its index.
    pub(super) fn alias_outer(&mut self, index: u32) -> u32 {
        let out = self.declare(0x02);
        out.byte(Sort::Type as u8);
        out.byte(0x02);
        out.u32(1);
        out.u32(index);
        self.new_type()
    }
}
