package audit

import (
	"github.com/oppflow/oppflow/opportunity"
)

type detail struct {
	name      string
	requested func(opportunity.UpdateDetails) string
	start     func(opportunity.Start) string
	actual    func(Record) string
}

func allDetails() []detail {
	return []detail{
		{
			"name", func(u opportunity.UpdateDetails) string { return u.Name },
			func(s opportunity.Start) string { return s.Name }, func(r Record) string { return r.Name },
		},
		{
			"account", func(u opportunity.UpdateDetails) string { return u.Account },
			func(s opportunity.Start) string { return s.Account }, func(r Record) string { return string(r.Account) },
		},
		{
			"currency", func(u opportunity.UpdateDetails) string { return u.Currency },
			func(s opportunity.Start) string { return s.Currency }, func(r Record) string { return r.Currency },
		},
	}
}

// checkDetails checks that each detail of the record has the value of the last start or
// updateDetails that set the detail and did not fail.
func (a *auditor) checkDetails(f *caseFile) {
	if f.record == nil || len(f.chains) == 0 {
		return
	}
	for _, d := range allDetails() {
		a.checkDetail(f, d)
	}
}

func (a *auditor) checkDetail(f *caseFile, d detail) {
	there := d.actual(*f.record)
	last, request := d.start(f.chains[0].Start), ""
	if last == "" {
		last = there // the start does not set the detail, so any value is right
	}
	var perhaps []string
	failedBy := ""
	cutBy := ""
	for _, r := range f.requests {
		update, ok := r.command.(opportunity.UpdateDetails)
		if !ok || d.requested(update) == "" {
			continue
		}
		value := d.requested(update)
		switch r.state {
		case reportedDone:
			last, request, perhaps, failedBy, cutBy = value, r.id, nil, "", ""
		case undecided:
			perhaps = append(perhaps, value)
		case unreported:
			perhaps = append(perhaps, value)
			cutBy = r.id
		case reportedFailed:
			if value == there {
				failedBy = r.id
			}
		}
	}
	if there == last {
		if cutBy != "" && perhaps[len(perhaps)-1] != last {
			a.report(Lost, f.reference, cutBy, "the accepted update sets the %s, but the record does not have the new value, and no outcome of the update is reported", d.name)
		}
		return
	}
	for _, value := range perhaps {
		if value == there {
			return
		}
	}
	if failedBy != "" {
		a.report(ReportedFailedButDone, f.reference, failedBy, "the update is reported as failed, but the update set the %s of the record to %q", d.name, there)
		return
	}
	a.report(ReportedDoneButMissing, f.reference, request, "the %s of the record is %q, but the last update that is reported as done sets the value %q", d.name, there, last)
}
