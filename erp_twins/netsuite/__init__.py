"""A double of Oracle NetSuite: SuiteTalk REST and SuiteQL."""
