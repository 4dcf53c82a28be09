"""The actions, in a table you can grep.

Why a literal table and no discovery: a package that happens to be installed must not gain the power to delete people,
and a reader finds every action in one place. To add one: write its file, add its line here.
"""

from offboard.actions.add_groups import AddGroups
from offboard.actions.assign_licenses import AssignLicenses
from offboard.actions.base import Action
from offboard.actions.delete_user import DeleteUser
from offboard.actions.disable_devices import DisableDevices
from offboard.actions.disable_user import DisableUser
from offboard.actions.enable_devices import EnableDevices
from offboard.actions.enable_user import EnableUser
from offboard.actions.list_deleted_users import ListDeletedUsers
from offboard.actions.own_devices import OwnDevices
from offboard.actions.purge_user import PurgeUser
from offboard.actions.remove_groups import RemoveGroups
from offboard.actions.remove_licenses import RemoveLicenses
from offboard.actions.remove_sign_in_methods import RemoveSignInMethods
from offboard.actions.reset_password import ResetPassword
from offboard.actions.restore_user import RestoreUser
from offboard.actions.retire_devices import RetireDevices
from offboard.actions.revoke_sessions import RevokeSessions
from offboard.actions.unown_devices import UnownDevices
from offboard.actions.wipe_devices import WipeDevices

ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        DisableUser(),
        RevokeSessions(),
        ResetPassword(),
        RemoveSignInMethods(),
        UnownDevices(),
        DisableDevices(),
        WipeDevices(),
        RetireDevices(),
        RemoveGroups(),
        RemoveLicenses(),
        DeleteUser(),
        PurgeUser(),
        ListDeletedUsers(),
        RestoreUser(),
        AssignLicenses(),
        AddGroups(),
        OwnDevices(),
        EnableDevices(),
        EnableUser(),
    )
}
