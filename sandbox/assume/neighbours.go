package assume

func neighbours() []Row { return nil }
