/// One store, made for one rule of a suite. What the store needs to live, for example a temporary
/// folder, belongs into the closure, and goes when the fixture goes.
pub struct Fixture<Handle> {
    open: Box<dyn Fn() -> Handle + Send + Sync>,
}

impl<Handle> Fixture<Handle> {
    /// A store that `open` opens. Each call gives a handle of its own on the same store, as
    /// another process would have one.
    pub fn new(open: impl Fn() -> Handle + Send + Sync + 'static) -> Self {
        Self { open: Box::new(open) }
    }

    /// Another handle on the store.
    #[must_use]
    pub fn open(&self) -> Handle {
        (self.open)()
    }
}
