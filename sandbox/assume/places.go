package assume

func places() []Row { return nil }
