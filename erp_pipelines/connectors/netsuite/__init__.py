"""NetSuite: SuiteTalk REST web services and SuiteQL. What is said here about it comes from Oracle's help and recorded traffic."""
