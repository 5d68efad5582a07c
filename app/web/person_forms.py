"""The forms of people: signing in and up, passwords, invitations, profile, keys. They judge shape, domains sense."""

from __future__ import annotations

from wtforms import BooleanField, EmailField, HiddenField, PasswordField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length

from app.http.forms import Form

_LONGEST = 300  # a little more than any domain allows, so that its own sentence is the one people read


def _required(sentence: str) -> list[object]:
    return [InputRequired(sentence), Length(max=_LONGEST, message="This is too long.")]


class SignInForm(Form):
    email = EmailField("Email", _required("Enter your email address."))
    password = PasswordField("Password", [InputRequired("Enter your password.")])
    next = HiddenField()


class CodeStepForm(Form):
    code = StringField("Code", [InputRequired("Enter your code.")])
    next = HiddenField()


class SignUpForm(Form):
    name = StringField("Your name", _required("Enter your name."))
    company = StringField("Company", _required("Enter the name of your company or project."))
    email = EmailField("Email", _required("Enter your email address."))
    password = PasswordField("Password", [InputRequired("Choose a password.")])
    next = HiddenField()


class ForgottenForm(Form):
    email = EmailField("Email", _required("Enter your email address."))


class NewPasswordForm(Form):
    password = PasswordField("New password", [InputRequired("Choose a password.")])


class JoinForm(Form):
    name = StringField("Your name", _required("Enter your name."))
    password = PasswordField("Password", [InputRequired("Choose a password.")])


class PersonForm(Form):
    name = StringField("Name", _required("Enter your name."))
    time_zone = StringField("Time zone", _required("Choose a time zone from the list."))


class EmailForm(Form):
    email = EmailField("New email", _required("Enter your new email address."))
    current = PasswordField("Current password", [InputRequired("Enter your current password.")], id="email-current")


class PasswordForm(Form):
    current = PasswordField("Current password", [InputRequired("Enter your current password.")], id="password-current")
    password = PasswordField("New password", [InputRequired("Choose a new password.")])


class InviteForm(Form):
    email = EmailField("Email", _required("Enter their email address."))
    permission = StringField("Role", default="read")


class PermissionForm(Form):
    permission = StringField("Role", _required("Choose what this person may do."))


class RemoveForm(Form):
    keep_keys = BooleanField("Keep their API keys")


class ApiKeyForm(Form):
    name = StringField("Name", _required("Name the key after the place where it runs."))
    environment = StringField("Environment", default="live")
    permissions = SelectMultipleField("Can", choices=[], default=["billing:read"], validate_choice=False)
