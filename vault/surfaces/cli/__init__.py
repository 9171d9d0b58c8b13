"""The command line: `slipvault NOUN VERB`. One file for each noun; nothing heavy is imported before it is needed."""
