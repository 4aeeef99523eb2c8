package assume

func names() []Row { return nil }
