package assume

func door() []Row { return nil }
