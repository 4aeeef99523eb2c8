package opportunity_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/opportunity"
)

func TestReference(t *testing.T) {
	for _, c := range []struct{ reference, want string }{
		{"ORDER-17", ""},
		{"order 17/b #3, é", ""},
		{strings.Repeat("é", 200), ""},
		{"", "reference: missing; give your own key of the opportunity, such as an order number"},
		{"a\xff", "reference: the text is not valid UTF-8"},
		{strings.Repeat("é", 201), "reference: the text has 201 characters; the limit is 200 characters"},
		{"ada@example.com", `reference: the text contains "@"; use a key of yours, not an e-mail address`},
		{" a", "reference: the text starts or ends with white space"},
		{"a\u00a0", "reference: the text starts or ends with white space"},
		{"a\nb", "reference: the text contains a character that cannot be printed"},
		{"a\u200bb", "reference: the text contains a character that cannot be printed"},
		{"a\u2003b", "reference: the text contains a character that cannot be printed"},
		{"Z\u00fcrich-1", ""},
		{"東京-1", ""},
		{"заказ № 7", ""},
		{"طلب ٧", ""},
		{"คำสั่ง", ""},
		{"\U0001f4d6", ""},
		{"Zu\u0308rich-1", "reference: the text is not in the Unicode form NFC; write the reference as \"Z\u00fcrich-1\" (\"Z\\u00fcrich-1\")"},
		{"\u212b", "reference: the text is not in the Unicode form NFC; write the reference as \"\u00c5\" (\"\\u00c5\")"},
		{"\u1112\u1161\u11ab", `reference: the text is not in the Unicode form NFC; write the reference as "한" ("\ud55c")`},
	} {
		t.Run(c.reference, func(t *testing.T) {
			wantError(t, opportunity.Reference(c.reference).Validate(), opportunity.Invalid, c.want)
		})
	}
}

func TestTypeOfID(t *testing.T) {
	for _, c := range []struct{ id, want string }{
		{"UmVnaW9uOkRS", "Region"},
		{"T3Bwb3J0dW5pdHk6Mg==", "Opportunity"},
		{"VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2", "TokenType"},
		{"", ""},
		{"UK", ""},
		{"ABC-123", ""},
		{"Won", ""},
		{"UmVnaW9uOkRS\n", ""},
		{string(id("Region", "")), ""},
		{string(id("", "DR")), ""},
		{string(id("Re gion", "DR")), ""},
		{base64.StdEncoding.EncodeToString([]byte("Region")), ""},
		{base64.RawStdEncoding.EncodeToString([]byte("Region:D")), ""},
	} {
		if got := opportunity.ID(c.id).Type(); got != c.want {
			t.Errorf("type of %q is %q, want %q", c.id, got, c.want)
		}
	}
}

func TestAmountForm(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"199.90", "199.90"},
		{"199.9", "199.90"},
		{"199.900", "199.90"},
		{"199", "199.00"},
		{"0", "0.00"},
		{"0.0000", "0.00"},
		{"0.125", "0.125"},
		{"0.1250", "0.125"},
		{"007", "7.00"},
		{"999999999999999.9999", "999999999999999.9999"},
	} {
		a, err := opportunity.ParseAmount(c.in)
		if err != nil || a.String() != c.want || fmt.Sprint(a) != c.want {
			t.Errorf("%q is written %q, %v; want %q", c.in, a.String(), err, c.want)
		}
	}
	var zero opportunity.Amount
	if zero.String() != "0.00" {
		t.Errorf("the zero value is written %q", zero.String())
	}
	for _, in := range []string{"", "-1", "+1", "1e3", "1,5", "1.", ".5", "1.23456", "1234567890123456", "$1", "1 ", " 1", "NaN", "0x1", "1\n", "١"} {
		_, err := opportunity.ParseAmount(in)
		wantError(t, err, opportunity.Invalid, fmt.Sprintf("%q is not an amount; give a decimal such as %q", in, "199.90"))
	}
	_, err := opportunity.ParseAmount(strings.Repeat("9", 5000))
	wantError(t, err, opportunity.Invalid, fmt.Sprintf("%q is not an amount; give a decimal such as %q", strings.Repeat("9", 40)+"…", "199.90"))
}

func TestAmountsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var total opportunity.Amount
		var parts int64
		for range rapid.IntRange(1, 20).Draw(t, "terms") {
			n := rapid.Int64Range(0, 1_000_000_0000).Draw(t, "ten-thousandths")
			times := rapid.IntRange(1, 1000).Draw(t, "times")
			a, err := opportunity.ParseAmount(fmt.Sprintf("%d.%04d", n/10000, n%10000))
			if err != nil {
				t.Fatal(err)
			}
			total = total.Add(a.Times(times))
			parts += n * int64(times)
		}
		want, err := opportunity.ParseAmount(fmt.Sprintf("%d.%04d", parts/10000, parts%10000))
		if err != nil {
			t.Fatal(err)
		}
		if !total.Equal(want) || total.String() != want.String() {
			t.Fatalf("total %s, want %s", total, want)
		}
	})
}

func fullInterest() opportunity.Interest {
	return opportunity.Interest{Item: string(event), Quantity: 2, Reserve: true}
}

func TestInterestMistakes(t *testing.T) {
	ada := opportunity.Learner{FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.com"}
	for _, c := range []struct {
		name   string
		change func(*opportunity.Interest)
		want   string
	}{
		{"event", func(*opportunity.Interest) {}, ""},
		{"event by name", func(i *opportunity.Interest) { i.Item, i.Kind = "ABC-123-01", opportunity.Event }, ""},
		{"course by id", func(i *opportunity.Interest) { i.Item, i.Reserve = string(course), false }, ""},
		{"path by id", func(i *opportunity.Interest) { i.Item, i.Reserve = string(path), false }, ""},
		{"tokens by id", func(i *opportunity.Interest) { i.Item, i.Reserve = string(tokens), false }, ""},
		{"kind repeated", func(i *opportunity.Interest) { i.Kind = opportunity.Event }, ""},
		{"a code that looks like an id", func(i *opportunity.Interest) { i.Item, i.Kind = "QTpi", opportunity.Event }, ""},
		{"no item", func(i *opportunity.Interest) { i.Item = " " }, "item: missing"},
		{"long item", func(i *opportunity.Interest) { i.Item = strings.Repeat("é", 256) }, "item: the text has 256 characters; the limit is 255 characters"},
		{"control character", func(i *opportunity.Interest) { i.Item = "a\tb" }, "item: the text contains a control character"},
		{"item not UTF-8", func(i *opportunity.Interest) { i.Item = "a\xff" }, "item: the text is not valid UTF-8"},
		{"wrong kind", func(i *opportunity.Interest) { i.Kind = "Course" }, `kind: "Course" is unknown; give one of course, event, path, tokens`},
		{
			"id of something else", func(i *opportunity.Interest) { i.Item = string(region) },
			"item: " + string(region) + " is the id of a Region; give a course template, an event, a learning path or a type of training token",
		},
		{
			"kind against the id", func(i *opportunity.Interest) { i.Kind = opportunity.Course },
			"kind: course is given, but the item " + string(event) + " is of kind event; leave kind out",
		},
		{"no kind", func(i *opportunity.Interest) { i.Item = "ABC-123" }, `kind: missing; item "ABC-123" is not an id, so give the kind: course, event, path or tokens`},
		{"quantity 0", func(i *opportunity.Interest) { i.Quantity = 0 }, "quantity: 0 is not allowed; give a whole number from 1 to 1000000"},
		{"quantity below", func(i *opportunity.Interest) { i.Quantity = -1 }, "quantity: -1 is not allowed; give a whole number from 1 to 1000000"},
		{"quantity above", func(i *opportunity.Interest) { i.Quantity = 1_000_001 }, "quantity: 1000001 is not allowed; give a whole number from 1 to 1000000"},
		{"quantity most", func(i *opportunity.Interest) { i.Quantity = 1_000_000 }, ""},
		{
			"reserve a course", func(i *opportunity.Interest) { i.Item = string(course) },
			"reserve: only places on an event can be reserved, and this item is of kind course",
		},
		{
			"reserve by name", func(i *opportunity.Interest) { i.Item, i.Kind = "LP-1", opportunity.Path },
			"reserve: only places on an event can be reserved, and this item is of kind path",
		},
		{
			"expiry of an event", func(i *opportunity.Interest) { i.ExpiresAt = "2023-12-31T23:59:59" },
			"expiresAt: only training tokens expire, and this item is of kind event",
		},
		{"expiry", func(i *opportunity.Interest) {
			i.Item, i.Reserve, i.ExpiresAt = string(tokens), false, "2023-12-31T23:59:59"
		}, ""},
		{"expiry with a zone", func(i *opportunity.Interest) {
			i.Item, i.Reserve, i.ExpiresAt = string(tokens), false, "2023-12-31T23:59:59Z"
		}, `expiresAt: "2023-12-31T23:59:59Z" is not a local time; give a time without a zone, such as 2023-12-31T23:59:59`},
		{"expiry with a fraction", func(i *opportunity.Interest) {
			i.Item, i.Reserve, i.ExpiresAt = string(tokens), false, "2023-12-31T23:59:59.5"
		}, `expiresAt: "2023-12-31T23:59:59.5" is not a local time; give a time without a zone, such as 2023-12-31T23:59:59`},
		{"expiry on no day", func(i *opportunity.Interest) {
			i.Item, i.Reserve, i.ExpiresAt = string(tokens), false, "2023-02-30T00:00:00"
		}, `expiresAt: "2023-02-30T00:00:00" is not a local time; give a time without a zone, such as 2023-12-31T23:59:59`},
		{"learners of tokens", func(i *opportunity.Interest) {
			i.Item, i.Reserve, i.Learners = string(tokens), false, []opportunity.Learner{ada}
		}, "learners: an interest of kind tokens has no learners; leave learners and contacts out"},
		{"contacts of tokens", func(i *opportunity.Interest) {
			i.Item, i.Reserve, i.Contacts = string(tokens), false, []opportunity.ID{contact}
		}, "learners: an interest of kind tokens has no learners; leave learners and contacts out"},
		{"most learners", func(i *opportunity.Interest) { i.Learners = repeat(ada, 500) }, ""},
		{"too many learners", func(i *opportunity.Interest) {
			i.Learners, i.Contacts = repeat(ada, 500), []opportunity.ID{contact}
		}, "learners: the interest has 501 learners and contacts; the limit is 500"},
		{"no first name", func(i *opportunity.Interest) {
			i.Learners = []opportunity.Learner{ada, {LastName: "Lovelace", Email: "ada@example.com"}}
		}, "learners[1].firstName: missing"},
		{"long last name", func(i *opportunity.Interest) {
			i.Learners = []opportunity.Learner{{FirstName: "Ada", LastName: strings.Repeat("x", 256), Email: "ada@example.com"}}
		}, "learners[0].lastName: the text has 256 characters; the limit is 255 characters"},
		{"no e-mail", func(i *opportunity.Interest) {
			i.Learners = []opportunity.Learner{{FirstName: "Ada", LastName: "Lovelace"}}
		}, "learners[0].email: the value is not an e-mail address"},
		{"contact", func(i *opportunity.Interest) { i.Contacts = []opportunity.ID{contact} }, ""},
		{
			"no contact", func(i *opportunity.Interest) { i.Contacts = []opportunity.ID{contact, account} },
			"contacts[1]: the value is not the id of a contact",
		},
		{"tax", func(i *opportunity.Interest) { i.Tax = id("TaxType", 1) }, ""},
		{"no tax id", func(i *opportunity.Interest) { i.Tax = "VAT" }, `tax: "VAT" is not an id; give the id of a tax type`},
	} {
		t.Run(c.name, func(t *testing.T) {
			interest := fullInterest()
			c.change(&interest)
			wantError(t, interest.Validate(), opportunity.Invalid, c.want)
			want := c.want
			if want != "" {
				want = "interests[1]." + want
			}
			wantError(t, opportunity.AddInterests{Interests: opportunity.Interests{fullInterest(), interest}}.Validate(), opportunity.Invalid, want)
		})
	}
}

func TestLearnersAddress(t *testing.T) {
	for _, email := range []string{"ada", "@example.com", "ada@", "a@b@c", "a da@b", "ada@b\n", "ada@\xff", strings.Repeat("a", 254) + "@b"} {
		interest := fullInterest()
		interest.Learners = []opportunity.Learner{{FirstName: "Ada", LastName: "L", Email: email}}
		wantError(t, interest.Validate(), opportunity.Invalid, "learners[0].email: the value is not an e-mail address")
	}
	for _, email := range []string{"a@b", "ada.lovelace+course@analytical.example", "jörg@bücher.example"} {
		interest := fullInterest()
		interest.Learners = []opportunity.Learner{{FirstName: "Ada", LastName: "L", Email: email}}
		wantError(t, interest.Validate(), opportunity.Invalid, "")
	}
}

func TestCommandMistakes(t *testing.T) {
	long := strings.Repeat("x", 201)
	for _, c := range []struct {
		name    string
		command interface{ Validate() error }
		want    string
	}{
		{"progress by name", opportunity.Progress{To: "Won"}, ""},
		{"progress by id", opportunity.Progress{To: string(stepTwo), RequestID: strings.Repeat("x", 200)}, ""},
		{"progress nowhere", opportunity.Progress{}, "to: missing"},
		{"progress to a region", opportunity.Progress{To: string(region)}, "to: " + string(region) + " is the id of a Region, not of a step"},
		{"progress to a name that looks like an id", opportunity.Progress{To: "QTpi"}, ""},
		{"long request id", opportunity.Progress{To: "Won", RequestID: long}, "requestId: the value has 201 bytes; the limit is 200 bytes"},
		{"own request id", opportunity.UpdateDetails{Name: "x", RequestID: "#1"}, `requestId: starts with "#"; only Oppflow itself generates such ids`},
		{"request id not printed", opportunity.AddInterests{RequestID: "a\u200b"}, "requestId: the value contains a character that cannot be printed"},
		{"request id not UTF-8", opportunity.AddInterests{RequestID: "a\xff"}, "requestId: the value contains a character that cannot be printed"},
		{"update", opportunity.UpdateDetails{Account: string(account)}, ""},
		{"update of nothing", opportunity.UpdateDetails{}, "nothing to update: give name, account or currency"},
		{"update to blank", opportunity.UpdateDetails{Currency: " "}, "currency: missing"},
		{"update to no account", opportunity.UpdateDetails{Account: string(region)}, "account: " + string(region) + " is the id of a Region, not of an account"},
		{"long name", opportunity.UpdateDetails{Name: strings.Repeat("x", 256)}, "name: the text has 256 characters; the limit is 255 characters"},
		{"no interests", opportunity.AddInterests{}, "interests: the list is empty; give at least one interest"},
		{"most interests", opportunity.AddInterests{Interests: repeat(fullInterest(), 100)}, ""},
		{"too many interests", opportunity.AddInterests{Interests: repeat(fullInterest(), 101)}, "interests: the message has 101 interests; the limit is 100 interests"},
		{"start", opportunity.Start{Name: "First Aid", Region: "UK"}, ""},
		{"start in full", opportunity.Start{
			RequestID: "r", Name: "First Aid", Region: string(region), Account: "Administrate", Currency: "USD", EntryStep: "Opportunity",
			Interests: opportunity.Interests{fullInterest()},
		}, ""},
		{"start without a name", opportunity.Start{Region: "UK"}, "name: missing"},
		{"start without a region", opportunity.Start{Name: "x"}, "region: missing"},
		{"start in an account", opportunity.Start{Name: "x", Region: string(account)}, "region: " + string(account) + " is the id of a Organisation, not of a region"},
		{"start for a region", opportunity.Start{Name: "x", Region: "UK", Account: string(region)}, "account: " + string(region) + " is the id of a Region, not of an account"},
		{"start in no step", opportunity.Start{Name: "x", Region: "UK", EntryStep: string(region)}, "entryStep: " + string(region) + " is the id of a Region, not of a step"},
		{"start with blank currency", opportunity.Start{Name: "x", Region: "UK", Currency: "\t"}, "currency: missing"},
		{"start with a wrong id", opportunity.Start{Name: "x", Region: "UK", RequestID: "#"}, `requestId: starts with "#"; only Oppflow itself generates such ids`},
		{
			"start with a mistaken interest",
			opportunity.Start{Name: "x", Region: "UK", Interests: opportunity.Interests{{Item: "x", Kind: opportunity.Event}}},
			"interests[0].quantity: 0 is not allowed; give a whole number from 1 to 1000000",
		},
		{"retry", opportunity.Retry{Request: "#start"}, ""},
		{"retry nothing", opportunity.Retry{}, "request: missing"},
		{"skip nothing", opportunity.Skip{Reason: "x"}, "request: missing"},
		{"skip without a reason", opportunity.Skip{Request: "r"}, "reason: missing"},
	} {
		t.Run(c.name, func(t *testing.T) { wantError(t, c.command.Validate(), opportunity.Invalid, c.want) })
	}
}

func TestDecodeIsStrict(t *testing.T) {
	interest := func(members string) string {
		return `{"interests":[{"item":"` + string(event) + `","quantity":1,"unitAmount":"1.00"},{` + members + `}]}`
	}
	for _, c := range []struct {
		name    string
		verb    opportunity.MessageName
		payload string
		want    string
	}{
		{"plain", opportunity.MessageProgress, ` {"to":"Won"} `, ""},
		{"in full", opportunity.MessageAddInterests, interest(`"item":"` + string(course) + `","kind":"course","quantity":1,"unitAmount":"199.90",
			"learners":[{"firstName":"Ada","lastName":"L","email":"a@b"}],"contacts":["` + string(contact) + `"]`), ""},
		{"nothing", opportunity.MessageProgress, ``, "a JSON object is expected, such as {…}"},
		{"null", opportunity.MessageProgress, `null`, "a JSON object is expected, such as {…}"},
		{"text", opportunity.MessageProgress, `"Won"`, "a JSON object is expected, such as {…}"},
		{"list", opportunity.MessageProgress, `[{"to":"Won"}]`, "a JSON object is expected, such as {…}"},
		{"two objects", opportunity.MessageProgress, `{"to":"Won"}{"to":"Lost"}`, "the text contains more than one JSON object; give one JSON object"},
		{"more behind", opportunity.MessageProgress, `{"to":"Won"} x`, "the text contains more than one JSON object; give one JSON object"},
		{"cut off", opportunity.MessageProgress, `{"to":"Won"`, "the text is not JSON: the text ends too early"},
		{"broken", opportunity.MessageProgress, `{"to" "Won"}`, `the text is not JSON: invalid character '"' after object key at byte 7`},
		{"unknown member", opportunity.MessageProgress, `{"to":"Won","by":"me"}`, `unknown member "by"`},
		{"unknown member of an interest", opportunity.MessageAddInterests, interest(`"item":"x","price":"1"`), `interests[1]: unknown member "price"`},
		{"unknown member of a learner", opportunity.MessageAddInterests, interest(`"item":"x","learners":[{"first_name":"Ada"}]`), `interests[1]: unknown member "first_name"`},
		{"member of another message", opportunity.MessageUpdateDetails, `{"to":"Won"}`, `unknown member "to"`},
		{"twice", opportunity.MessageProgress, `{"to":"Won","to":"Lost"}`, `member "to" appears twice`},
		{"twice in other capitals", opportunity.MessageProgress, `{"to":"Won","To":"Lost"}`, `member "To" appears twice`},
		{"twice in an interest", opportunity.MessageAddInterests, interest(`"item":"x","kind":"event","quantity":1,"unitAmount":"1","quantity":100`), `interests[1]: member "quantity" appears twice`},
		{"twice in a learner", opportunity.MessageAddInterests, interest(`"item":"x","kind":"event","quantity":1,"unitAmount":"1","learners":[{"firstName":"Ada","lastName":"L","email":"a@b","email":"c@d"}]`), `interests[1].learners[0]: member "email" appears twice`},
		{"same member in two objects", opportunity.MessageAddInterests, interest(`"item":"` + string(event) + `","quantity":1,"unitAmount":"1"`), ""},
		{"null member", opportunity.MessageProgress, `{"to":null}`, "to: missing"},
		{"null interests", opportunity.MessageAddInterests, `{"interests":null}`, "interests: the list is empty; give at least one interest"},
		{"null interest", opportunity.MessageAddInterests, `{"interests":[null]}`, "interests[0]: a JSON object is expected, such as {…}"},
		{"interests no list", opportunity.MessageAddInterests, `{"interests":{}}`, "interests: a list of interests is expected, such as [{…}]"},
		{"wrong type", opportunity.MessageProgress, `{"to":5}`, "to: a JSON number is given, but a string is expected"},
		{"quantity as text", opportunity.MessageAddInterests, interest(`"item":"x","quantity":"2"`), "interests[1].quantity: a JSON string is given, but a whole number is expected"},
		{"quantity in parts", opportunity.MessageAddInterests, interest(`"item":"x","quantity":1.5`), "interests[1].quantity: a JSON number 1.5 is given, but a whole number is expected"},
		{"reserve as text", opportunity.MessageAddInterests, interest(`"item":"x","reserve":"yes"`), "interests[1].reserve: a JSON string is given, but true or false is expected"},
		{"learners no list", opportunity.MessageAddInterests, interest(`"item":"x","learners":{"firstName":"Ada"}`), "interests[1].learners: a JSON object is given, but a list is expected"},
		{"money as a number", opportunity.MessageAddInterests, interest(`"item":"x","unitAmount":199.9`), `interests[1].unitAmount: 199.9 is not an amount; give a decimal in quotes, such as "199.90"`},
		{"money below nothing", opportunity.MessageAddInterests, interest(`"item":"x","unitAmount":"-1"`), `interests[1].unitAmount: "-1" is not an amount; give a decimal such as "199.90"`},
		{"no money", opportunity.MessageAddInterests, interest(`"item":"` + string(event) + `","quantity":1`), `interests[1].unitAmount: missing; give a decimal such as "199.90"`},
		{"null money", opportunity.MessageAddInterests, interest(`"item":"` + string(event) + `","quantity":1,"unitAmount":null`), `interests[1].unitAmount: missing; give a decimal such as "199.90"`},
		{"unknown message", "win", `{}`, `there is no message called …; the messages are addInterests, progress, updateDetails, extendReservations, pause, resume, retry, confirm, skip, acknowledge, refresh, snooze, cancelFollowUp, close`},
		{"invalid", opportunity.MessageUpdateDetails, `{}`, "nothing to update: give name, account or currency"},
	} {
		t.Run(c.name, func(t *testing.T) {
			command, err := opportunity.Decode(c.verb, []byte(c.payload))
			wantError(t, err, opportunity.Invalid, c.want)
			if (command == nil) != (c.want != "") {
				t.Errorf("decoded %v beside %v", command, err)
			}
		})
	}
	_, err := opportunity.DecodeStart([]byte(`{"name":"x","region":"UK","interests":[{"items":1}]}`))
	wantError(t, err, opportunity.Invalid, `interests[0]: unknown member "items"`)
	_, err = opportunity.DecodeStart([]byte(`{"name":"x","region":"UK","region":"DR"}`))
	wantError(t, err, opportunity.Invalid, `member "region" appears twice`)
	_, err = opportunity.DecodeStrict[opportunity.Skip]([]byte(`{"request":"r","because":"x"}`))
	wantError(t, err, opportunity.Invalid, `unknown member "because"`)
	skip, err := opportunity.DecodeStrict[opportunity.Skip]([]byte(`{"request":"r","reason":"x"}`))
	if err != nil || skip != (opportunity.Skip{Request: "r", Reason: "x"}) {
		t.Errorf("decoded %+v, %v", skip, err)
	}
}

func TestMistakesNameNoLearner(t *testing.T) {
	const first, last, email = "Zaphodina", "Beeblebroxia", "zaphodina@galaxy.example"
	message := func() map[string]any {
		return map[string]any{"interests": []any{map[string]any{
			"item": string(event), "quantity": 1, "unitAmount": "1.00", "contacts": []any{},
			"learners": []any{map[string]any{"firstName": first, "lastName": last, "email": email}},
		}}}
	}
	bad := []any{nil, 5, 1.5, true, "", " ", []any{}, []any{first}, map[string]any{}, map[string]any{"x": last}, first + "\x00", strings.Repeat(first, 100)}
	rapid.Check(t, func(t *rapid.T) {
		spoiled := message()
		interest := spoiled["interests"].([]any)[0].(map[string]any)
		learner := interest["learners"].([]any)[0].(map[string]any)
		object := rapid.SampledFrom([]map[string]any{spoiled, interest, learner, learner, learner}).Draw(t, "object")
		member := rapid.SampledFrom([]string{"firstName", "lastName", "email", "learners", "contacts", "quantity", "extra"}).Draw(t, "member")
		object[member] = rapid.SampledFrom(bad).Draw(t, "value")
		payload, err := json.Marshal(spoiled)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "cut") {
			payload = payload[:rapid.IntRange(0, len(payload)).Draw(t, "at")]
		}
		_, err = opportunity.Decode(opportunity.MessageAddInterests, payload)
		if err == nil {
			return
		}
		for _, person := range []string{first, last, email, "galaxy"} {
			if strings.Contains(err.Error(), person) {
				t.Fatalf("%q names a learner", err)
			}
		}
	})
}

func TestErrorIsOneLine(t *testing.T) {
	for _, c := range []struct {
		err  opportunity.Error
		want string
	}{
		{opportunity.Error{Type: opportunity.Rejected, Label: "Sold Out", Message: "no places", Value: "7"}, "Rejected: Sold Out: no places"},
		{opportunity.Error{Type: opportunity.Undecided}, "Undecided"},
		{*opportunity.Failf(opportunity.NotFound, "no %s", "step"), "NotFound: no step"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, verb := range []opportunity.MessageName{opportunity.MessageAddInterests, opportunity.MessageProgress, opportunity.MessageUpdateDetails, "x"} {
		for _, payload := range []string{
			`{"to":"Won"}`, `{"name":"x","account":"y","currency":"USD","requestId":"r"}`, `{}`, `null`, `[`,
			`{"interests":[{"item":"VG9rZW5UeXBlOjE=","quantity":1,"unitAmount":"199.90","expiresAt":"2023-12-31T23:59:59"}]}`,
			`{"interests":[{"item":"a","kind":"event","reserve":true,"quantity":3,"unitAmount":"0.1250","tax":"VGF4OjE=","contacts":["UGVyc29uOjI="],"learners":[{"firstName":"<&>","lastName":"\u2028","email":"a@b"}]}]}`,
		} {
			f.Add(string(verb), []byte(payload))
		}
	}
	f.Fuzz(func(t *testing.T, verb string, payload []byte) {
		command, err := opportunity.Decode(opportunity.MessageName(verb), payload)
		if err != nil {
			var own *opportunity.Error
			if !errors.As(err, &own) || own.Type != opportunity.Invalid || own.Message == "" {
				t.Fatalf("%v is no Invalid error", err)
			}
			return
		}
		again, err := json.Marshal(command)
		if err != nil {
			t.Fatal(err)
		}
		repeated, err := opportunity.Decode(opportunity.MessageName(verb), again)
		if err != nil {
			t.Fatalf("%s decoded, %s does not: %v", payload, again, err)
		}
		if third, err := json.Marshal(repeated); err != nil || string(third) != string(again) {
			t.Fatalf("%s became %s", again, third)
		}
	})
}

func FuzzDecodeStart(f *testing.F) {
	f.Add([]byte(`{"name":"x","region":"UK"}`))
	f.Add([]byte(`{"name":"x","region":"UK","account":"a","currency":"USD","entryStep":"s","requestId":"r","interests":[]}`))
	f.Add([]byte(`{"name":"x","region":"UK","interests":[{"item":"a","kind":"event","quantity":3,"unitAmount":"1.000"}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		start, err := opportunity.DecodeStart(payload)
		if err != nil {
			return
		}
		again, err := json.Marshal(start)
		if err != nil {
			t.Fatal(err)
		}
		repeated, err := opportunity.DecodeStart(again)
		if err != nil || repeated.Digest() != start.Digest() {
			t.Fatalf("%s decoded, but %s is another start: %v", payload, again, err)
		}
	})
}

func FuzzTypeOfID(f *testing.F) {
	f.Add("UmVnaW9uOkRS")
	f.Add("QTpi")
	f.Fuzz(func(t *testing.T, text string) {
		typ := opportunity.ID(text).Type()
		if typ == "" {
			return
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || !strings.HasPrefix(string(raw), typ+":") || base64.StdEncoding.EncodeToString(raw) != text {
			t.Fatalf("%q is said to be of type %q", text, typ)
		}
	})
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"199.90", "0.0000", "007", "1e5", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := opportunity.ParseAmount(text)
		if err != nil {
			return
		}
		again, err := opportunity.ParseAmount(a.String())
		if err != nil || !again.Equal(a) || again.String() != a.String() {
			t.Fatalf("%q is written %q, which reads as %v, %v", text, a, again, err)
		}
		data, err := json.Marshal(a)
		var decoded opportunity.Amount
		if err != nil || json.Unmarshal(data, &decoded) != nil || !decoded.Equal(a) {
			t.Fatalf("%q does not survive JSON as %s", text, data)
		}
	})
}
