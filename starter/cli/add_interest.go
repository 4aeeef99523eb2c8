package cli

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/opportunity"
)

func (p *program) addInterest() *cobra.Command {
	var interest opportunity.Interest
	var contacts []string
	interest.Quantity = 1
	command := &cobra.Command{
		Use:   "add-interest REF --item ITEM --amount AMOUNT [flags]",
		Short: messageHelp(opportunity.MessageAddInterests),
		Long: `add-interest adds one item that the customer may buy: a published course template, an event, a learning path or training
tokens.`,
		Example: `  oppflow add-interest lead-4711 --item ABC-123 --kind course --amount 199.90 --learner "Melissa Green <melissa@example.com>"
  oppflow add-interest lead-4711 --item Q291cnNlOjE= --amount 199.90 --quantity 3 --reserve`,
		Args:              exactArgs("REF"),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	fs.StringVar(&interest.Item, "item", "", "id, code or name of the item to buy")
	fs.Var((*kindFlag)(&interest.Kind), "kind", "kind of the item: "+opportunity.InterestKindList()+"; not needed if --item is an id")
	fs.Var((*quantityFlag)(&interest.Quantity), "quantity", "number of units to buy")
	fs.Var(&amountFlag{&interest.UnitAmount}, "amount", "price of one unit, such as 199.90")
	fs.BoolVar(&interest.Reserve, "reserve", false, "reserve as many places on the event as --quantity says")
	fs.Var((*learnersFlag)(&interest.Learners), "learner", `learner, such as "Melissa Green <melissa@example.com>" (repeatable)`)
	fs.StringArrayVar(&contacts, "contact", nil, "id of a contact who is a learner (repeatable)")
	fs.StringVar(&interest.ExpiresAt, "expires-at", "", "local time at which the training tokens expire, such as 2023-12-31T23:59:59")
	fs.StringVar((*string)(&interest.Tax), "tax", "", "id of the tax type")
	sending := p.newMessageCommand(command)
	_ = command.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(
		opportunity.InterestKindNames(),
		cobra.ShellCompDirectiveNoFileComp))
	command.RunE = func(command *cobra.Command, args []string) error {
		reference, err := reference(args)
		if err != nil {
			return err
		}
		switch {
		case interest.Item == "":
			return usagef("--item is missing; give an id, a code or a name, such as --item ABC-123 --kind course")
		case !fs.Changed("amount"):
			return usagef("--amount is missing; give the price of one unit, such as --amount 199.90")
		}
		for _, id := range contacts {
			interest.Contacts = append(interest.Contacts, opportunity.ID(id))
		}
		add := opportunity.AddInterests{RequestID: sending.request.get(), Interests: opportunity.Interests{interest}}
		return sending.send(command.Context(), reference, add, map[string]string{
			"requestId": "--request-id", "item": "--item", "kind": "--kind", "quantity": "--quantity", "reserve": "--reserve",
			"learners": "--learner", "contacts": "--contact", "expiresAt": "--expires-at", "tax": "--tax",
		})
	}
	return command
}

type kindFlag opportunity.InterestKind

func (k *kindFlag) Set(text string) error {
	if _, known := opportunity.InterestKind(text).Info(); !known {
		return errors.New("must be " + opportunity.InterestKindList())
	}
	*k = kindFlag(text)
	return nil
}

func (k *kindFlag) String() string { return string(*k) }
func (k *kindFlag) Type() string   { return "kind" }

type quantityFlag int

func (q *quantityFlag) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > opportunity.MaxQuantity {
		return errors.New("must be a whole number from 1 to " + strconv.Itoa(opportunity.MaxQuantity))
	}
	*q = quantityFlag(n)
	return nil
}

func (q *quantityFlag) String() string { return strconv.Itoa(int(*q)) }
func (q *quantityFlag) Type() string   { return "number" }

type amountFlag struct{ value *opportunity.Amount }

func (a *amountFlag) Set(text string) error {
	value, err := opportunity.ParseAmount(text)
	if err != nil {
		return errors.New("must be a decimal such as 199.90, without currency and sign, with at most 4 digits after the point")
	}
	*a.value = value
	return nil
}

func (a *amountFlag) String() string { return "" }
func (a *amountFlag) Type() string   { return "decimal" }
