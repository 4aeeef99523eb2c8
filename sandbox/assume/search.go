package assume

func search() []Row { return nil }
