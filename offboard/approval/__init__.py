"""A second person's signed consent to one plan.

Why SSH signatures: administrators have such keys already, in files, agents and security keys; git and `ssh-keygen -Y` use
them in the same way, so whoever doubts an approval checks it without this program. What is signed is a small text that
names the tenant, the plan, its digest, the approver and the end of its validity, so that it fits nothing else.

Why a person is a principal of `allowed_signers`: it is the tenant's own list of who may approve. All names that the list
gives one key are one person, who is compared with whoever made the plan and with everybody who is leaving.

`statement` is the text, `sshsig` the signature, `signers` the list, `consent` decides, `files` reads and writes beside the
plan, `keygen` asks ssh-keygen to sign. Only `sshsig` needs cryptography, and loads it when a signature is checked.
"""

from offboard.approval.consent import Approval, Policy, judge, needed, refuse_unless_approved
from offboard.approval.files import Offer
from offboard.approval.signers import Signer, read_signers
from offboard.approval.statement import NAMESPACE, Statement

__all__ = [
    "NAMESPACE",
    "Approval",
    "Offer",
    "Policy",
    "Signer",
    "Statement",
    "judge",
    "needed",
    "read_signers",
    "refuse_unless_approved",
]
