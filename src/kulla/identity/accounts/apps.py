"""Django's entry for this area."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Accounts: activation, recovery, channels, cases."""

    name = "kulla.identity.accounts"
    label = "identity_accounts"
