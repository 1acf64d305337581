import Pipeline

/// One stage of a pipeline to come: what is needed to make it, where it is not there yet.
package struct StageRecipe: Sendable {
    package let name: String
    package let options: (any OptionRecord)?
    /// False when these are the options that the stage has, if it is there.
    package let isChanged: Bool
    /// nil for a core stage, which is always there.
    package let make: StageSchema.Factory?

    package init(name: String, options: (any OptionRecord)?, isChanged: Bool, make: StageSchema.Factory?) {
        self.name = name
        self.options = options
        self.isChanged = isChanged
        self.make = make
    }
}
