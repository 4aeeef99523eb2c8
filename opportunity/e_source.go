package opportunity

// FairnessKey returns for whom the opportunity works now, the key by which requests of many
// opportunities get their turns. It is the source of the command in work, else the
// region, else "".
func (s *State) FairnessKey() string {
	source := ""
	switch {
	case s.Start != nil:
		return s.Start.FairnessKey()
	case len(s.Queue) > 0:
		source = s.Queue[0].source()
	}
	if source == "" {
		source = s.Details.Region.Name
	}
	if source == "" {
		source = string(s.Details.Region.ID)
	}
	return truncateBytes(source)
}

// IsUrgent reports whether the record is made before the records of other opportunities.
func (s *State) IsUrgent() bool { return s.Start != nil && s.Start.Urgent }

// source returns the source of the command.
func (e QueuedCommand) source() string {
	c, err := e.command()
	if err != nil {
		return ""
	}
	return SourceOf(c)
}
